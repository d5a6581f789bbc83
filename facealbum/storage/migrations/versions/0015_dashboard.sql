CREATE SCHEMA dashboard;

-- What changed since the aggregates were refreshed: a row a family and transaction, so no writer waits for another.
CREATE TABLE dashboard.changes (
    family_id uuid NOT NULL REFERENCES families ON DELETE CASCADE,
    xact bigint NOT NULL,
    PRIMARY KEY (family_id, xact)
);
CREATE INDEX changes_turn_idx ON dashboard.changes (xact, family_id);

-- Of a family that is just being deleted nothing is noted.
CREATE FUNCTION dashboard.note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboard.changes
    SELECT DISTINCT family_id, pg_current_xact_id()::text::bigint FROM changed JOIN families USING (family_id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- --- Aggregates ------------------------------------------------------------------------------------------------

CREATE TABLE dashboard.family_totals ( -- What there is of each family, as of the last refresh
    family_id uuid PRIMARY KEY REFERENCES families ON DELETE CASCADE, -- the family, by id alone
    photos bigint NOT NULL, -- uploaded photos and videos
    pending bigint NOT NULL, -- of them, those that wait for analysis
    failed bigint NOT NULL, -- of them, those that can't be analysed
    faces bigint NOT NULL, -- faces found, without those that a user called none
    first_photo_at timestamptz, -- when the oldest one was taken
    last_photo_at timestamptz, -- when the newest one was taken
    refreshed_at timestamptz NOT NULL -- when this was counted
);

CREATE TABLE dashboard.person_months ( -- The timeline of each person: its faces by the month in which they were taken
    family_id uuid NOT NULL REFERENCES families ON DELETE CASCADE, -- the family, by id alone
    arm_id smallint NOT NULL, -- the arm that the person is of, as in arms
    person_id uuid NOT NULL, -- the person, by id alone
    month date NOT NULL, -- the first day of the month, UTC
    faces bigint NOT NULL, -- faces of the month that are the person's
    confirmed bigint NOT NULL, -- of them, those that a monthly job or a user confirmed
    photos bigint NOT NULL, -- photos and video frames that show the person
    age real NOT NULL, -- the mean of the ages that the faces look like, in years
    PRIMARY KEY (family_id, person_id, month)
);

CREATE TABLE dashboard.person_pairs ( -- Co-occurrence: how many photos and video frames show both persons
    family_id uuid NOT NULL REFERENCES families ON DELETE CASCADE, -- the family, by id alone
    arm_id smallint NOT NULL, -- the arm that both are of, as in arms
    person_id uuid NOT NULL, -- one person, the one with the smaller id
    other_id uuid NOT NULL, -- the other person
    photos bigint NOT NULL, -- photos and video frames that show both
    PRIMARY KEY (family_id, person_id, other_id)
);

CREATE TABLE dashboard.photo_days ( -- Photos by day: what came in, what was analysed, what went wrong; today's numbers still grow
    day date NOT NULL, -- the day, UTC
    event text NOT NULL, -- received, analysed, import problem or analysis problem
    reason text NOT NULL, -- of a problem its code, else empty
    photos bigint NOT NULL, -- photos and videos
    PRIMARY KEY (day, event, reason)
);

-- --- Monthly jobs and runs -------------------------------------------------------------------------------------

CREATE VIEW dashboard.monthly_jobs AS -- The monthly jobs over all families
SELECT
    b.number, -- the job's number, as facealbum run list shows it
    b.through AS month, -- the last month that it runs
    b.arm, -- the installation's arm when it was started
    b.status, -- running, paused, evaluating, done or cancelled
    b.created_at AS started_at, -- when it was started
    b.finished_at, -- when it ended
    extract(epoch FROM coalesce(b.finished_at, now()) - b.created_at)::double precision AS seconds, -- how long it took, or runs by now
    coalesce((b.summary #>> '{families,done}')::bigint, live.done) AS families_done, -- families that ended well
    coalesce((b.summary #>> '{families,failed}')::bigint, live.failed) AS families_failed, -- families that failed
    live.begun AS families_begun, -- families that were handed out and have not ended
    (b.summary #>> '{coverage,cases}')::bigint AS faces, -- faces up to the month's end, once it is done
    (b.summary #>> '{coverage,hits}')::bigint AS faces_assigned, -- of them, those with a person
    (b.summary ->> 'persons_created')::bigint AS persons_created, -- persons that it found
    (b.summary ->> 'links')::bigint AS links, -- persons that it linked to a child
    (b.summary #>> '{breakage,broken,cases}')::bigint AS labels, -- pseudo-labels that it looked at
    (b.summary #>> '{breakage,broken,hits}')::bigint AS broken, -- of them, those that broke
    coalesce(jsonb_array_length(b.summary -> 'alarms'), 0) AS alarms -- reasons to look at it
FROM batches b
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE f.status = 'done') AS done,
        count(*) FILTER (WHERE f.status = 'failed') AS failed,
        count(*) FILTER (WHERE f.status IN ('waiting', 'handed out')) AS begun
    FROM batch_families f WHERE f.batch_id = b.batch_id AND b.summary IS NULL
) live;

CREATE VIEW dashboard.monthly_job_families AS -- What became of each family in a monthly job
SELECT
    b.number, -- the job's number
    f.family_id, -- the family, by id alone
    f.status, -- waiting, handed out, done or failed
    f.code, -- why it failed
    f.detail, -- where it failed, without any value
    f.attempts, -- how often a process began it since it last got on
    f.faces, -- its faces up to the month's end
    f.assigned, -- of them, those with a person
    f.runs, -- months that were run
    f.persons_created, -- persons found
    f.links, -- persons linked to a child
    f.labels, -- pseudo-labels looked at
    f.broken, -- of them, those that broke
    f.handed_out_at, -- when it was last handed out
    f.finished_at -- when it ended
FROM batch_families f JOIN batches b USING (batch_id);

CREATE VIEW dashboard.runs AS -- One clustering of one family, month and arm
SELECT
    r.family_id, -- the family, by id alone
    r.run_id, -- the run
    a.name AS arm, -- the arm
    r.month, -- the first day of the month
    r.status, -- running, done or failed
    r.code_version, -- the release that made it
    r.algorithm, -- how faces were told apart
    r.faces, -- faces that it looked at
    r.nodes, -- faces that stood for known persons
    r.attached, -- faces that joined a person
    r.founded, -- faces of new persons
    r.waiting, -- faces that wait
    r.persons_created, -- new persons
    r.moved, -- persons that were merged or moved
    r.provisional_confirmed, -- provisional matches that were confirmed
    r.provisional_moved, -- those that went to another person
    r.provisional_dropped, -- those that wait again
    r.started_at, -- when it began
    r.finished_at -- when it ended
FROM runs r JOIN arms a USING (arm_id);

-- --- Metrics ---------------------------------------------------------------------------------------------------

CREATE VIEW dashboard.metrics AS -- Every metric over all families, by month, arm and slice, as it was last added up
SELECT DISTINCT ON (a.name, t.month, t.metric, t.slice)
    a.name AS arm, -- the arm
    t.month, -- the first day of the month
    t.metric, -- the metric, as docs/metrics.md defines it
    t.slice, -- empty for all, else as age:0-2 or model:NAME
    t.families, -- families that have a case
    t.total, -- the numerator, a sum over families
    t.cases, -- the denominator, a sum over families
    t.total / nullif(t.cases, 0) AS value, -- total / cases
    t.low, -- the lower end of its interval
    t.high, -- the upper end of its interval
    t.level, -- the level of the interval, as 0.95
    t.batch, -- the monthly job that added it up, 0 for facealbum cluster
    t.computed_at -- when
FROM metric_totals t JOIN arms a USING (arm_id)
ORDER BY a.name, t.month, t.metric, t.slice, t.computed_at DESC;

CREATE VIEW dashboard.breakage AS -- How many pseudo-labels broke, by kind, month, arm and slice
SELECT
    arm, -- the arm
    month, -- the first day of the month
    metric AS kind, -- breakage (any of the others), mixing, disappearance or splitting
    slice, -- empty for all
    families, -- families that have a label
    cases AS labels, -- pseudo-labels
    total AS broken, -- of them, those that broke so
    value AS rate, -- broken / labels
    low, -- the lower end of its interval
    high -- the upper end of its interval
FROM dashboard.metrics WHERE metric IN ('breakage', 'mixing', 'disappearance', 'splitting');

CREATE VIEW dashboard.association AS -- How many faces are of a person who is linked to a child, by month, arm and slice
SELECT
    arm, -- the arm
    month, -- the first day of the month
    slice, -- empty for all
    families, -- families that have a face and a child
    cases AS faces, -- the month's faces in families with a child
    total AS linked, -- of them, those of a linked person
    value AS rate, -- linked / faces
    low, -- the lower end of its interval
    high -- the upper end of its interval
FROM dashboard.metrics WHERE metric = 'association';

CREATE VIEW dashboard.coverage AS -- How many faces have a confirmed person, by month, arm and slice
SELECT
    arm, -- the arm
    month, -- the first day of the month
    slice, -- empty for all
    families, -- families that have a face
    cases AS faces, -- the month's faces
    total AS assigned, -- of them, those with a confirmed person
    value AS rate, -- assigned / faces
    low, -- the lower end of its interval
    high -- the upper end of its interval
FROM dashboard.metrics WHERE metric = 'coverage';

CREATE VIEW dashboard.family_metrics AS -- What each family's month adds to a metric
SELECT
    m.family_id, -- the family, by id alone
    a.name AS arm, -- the arm
    m.month, -- the first day of the month
    m.metric, -- the metric
    m.slice, -- empty for all, or an age band or gender
    m.total, -- the numerator
    m.cases, -- the denominator
    m.run_id, -- the run that it was counted after, if there was one
    m.model, -- the embedding model
    m.computed_at -- when it was counted
FROM family_metrics m JOIN arms a USING (arm_id);

CREATE VIEW dashboard.broken_persons AS -- What became of each person's pseudo-label in a run
SELECT
    b.family_id, -- the family, by id alone
    b.run_id, -- the run
    a.name AS arm, -- its arm
    r.month, -- its month
    b.person_id, -- the person, by id alone
    b.nodes, -- faces that stood for the person
    b.mixing, -- whether it shared a cluster with another person
    b.disappearance, -- whether no cluster was its own
    b.splitting, -- whether it fell into several
    b.mixing OR b.disappearance OR b.splitting AS broken -- whether any of these
FROM breakage b JOIN runs r USING (family_id, run_id) JOIN arms a USING (arm_id);

CREATE VIEW dashboard.corrections AS -- What users decided, by month, arm and kind; the rate is the metric of this name
SELECT
    d.month, -- the month in which they were made, UTC
    a.name AS arm, -- the arm whose persons were shown
    d.kind, -- the kind of decision, as docs/decisions.md lists
    sum(d.decisions)::bigint AS decisions, -- decisions
    sum(d.undone)::bigint AS undone, -- of them, those taken back
    count(*) AS families -- families in which they were made
FROM (
    SELECT
        date_trunc('month', decided_at AT TIME ZONE 'UTC')::date AS month, arm_id, kind, family_id,
        count(*) AS decisions, count(undone_at) AS undone
    FROM decisions GROUP BY 1, 2, 3, 4
) d JOIN arms a USING (arm_id) GROUP BY 1, 2, 3;

CREATE VIEW dashboard.drift AS -- How far the distributions of each month are from what they are compared with
SELECT
    r.month, -- the first day of the month
    r.analyzer_id, -- the combination of models, as in analyzers
    r.against, -- baseline, before (the month before) or training
    r.distribution, -- as age, size or quality
    r.distance, -- the Jensen-Shannon distance, 0 to 1
    r.threshold, -- from which on it is an alarm
    r.alarm, -- whether it is one
    r.unjudged, -- why it could not be judged, else empty
    (SELECT sum(n) FROM unnest(r.counts) n)::bigint AS cases, -- faces or photos of the month
    (SELECT sum(n) FROM unnest(r.counts_before) n)::bigint AS cases_before, -- those it was compared with
    r.checked_at -- when it was checked
FROM drift_results r;

-- --- Queues and photos -----------------------------------------------------------------------------------------

CREATE VIEW dashboard.queue AS -- What waits; counted up to 10,000, and then there are at least as many
SELECT
    'pending photos' AS what, -- pending photos, outbox, parked messages, or families whose aggregates are to be refreshed
    (SELECT count(*) FROM (SELECT FROM photos WHERE status = 'pending' LIMIT 10000) bounded) AS waiting, -- how many
    (SELECT min(created_at) FROM photos WHERE status = 'pending') AS oldest_at -- since when the oldest one waits, if that is known
UNION ALL
SELECT
    'outbox',
    (SELECT count(*) FROM (SELECT FROM outbox LIMIT 10000) bounded),
    (SELECT written_at FROM outbox ORDER BY number LIMIT 1)
UNION ALL
SELECT 'parked messages', (SELECT count(*) FROM (SELECT FROM parked LIMIT 10000) bounded), (SELECT min(first_at) FROM parked)
UNION ALL
SELECT 'families to refresh', (SELECT count(*) FROM (SELECT DISTINCT family_id FROM dashboard.changes LIMIT 10000) bounded), NULL;

CREATE VIEW dashboard.parked AS -- Messages that nobody could do, by queue and reason
SELECT
    queue, -- the queue
    code, -- the reason
    count(*) AS messages, -- messages
    sum(attempts)::bigint AS attempts, -- attempts at them
    min(first_at) AS first_at, -- when the first one was parked
    max(last_at) AS last_at -- when one was last tried
FROM parked GROUP BY queue, code;

CREATE VIEW dashboard.photo_problems AS -- Photos that are not, or not fully, in albums now, by reason
SELECT
    stage, -- import or analysis
    code, -- the reason
    count(*) AS photos, -- photos and videos
    count(DISTINCT family_id) AS families, -- families that have one
    max(noticed_at) AS last_at -- when it was last noticed
FROM photo_problems GROUP BY stage, code;

-- --- Models, arms and experiments ------------------------------------------------------------------------------

CREATE VIEW dashboard.analyzers AS -- Combinations of model versions that photos were analysed by
SELECT
    a.analyzer_id, -- as other views name it
    s.name AS space, -- the embedding space that it fills
    a.models -- role and version of each model, as JSON
FROM analyzers a JOIN embedding_spaces s USING (space_id);

CREATE VIEW dashboard.spaces AS -- Embedding spaces; embeddings of two of them are never compared
SELECT
    s.space_id, -- its number
    s.name AS space, -- its name
    count(a.arm_id) AS arms -- arms that work in it
FROM embedding_spaces s LEFT JOIN arms a USING (space_id) GROUP BY s.space_id;

CREATE VIEW dashboard.reembeddings AS -- Embedding every face again for another space
SELECT
    r.number, -- its number
    o.name AS old_space, -- from this space
    n.name AS new_space, -- to this one
    r.status, -- running, paused or done
    r.faces, -- faces embedded so far
    r.started_at, -- when it was started
    r.updated_at, -- when it last got on
    r.finished_at -- when it ended
FROM reembeddings r
JOIN embedding_spaces o ON o.space_id = r.source_space_id
JOIN embedding_spaces n ON n.space_id = r.target_space_id;

CREATE VIEW dashboard.compatibility AS -- What was measured before a change of space
SELECT
    c.number, -- the report's number
    o.name AS old_space, -- from this space
    n.name AS new_space, -- to this one
    a.name AS adapter, -- by this adapter, if by one
    c.passed, -- whether the gate lets the change through
    c.created_at -- when it was measured
FROM compat_reports c
JOIN embedding_spaces o ON o.space_id = c.source_space_id
JOIN embedding_spaces n ON n.space_id = c.target_space_id
LEFT JOIN adapters a USING (adapter_id);

CREATE VIEW dashboard.arms AS -- Algorithm and parameters under a name
SELECT
    a.arm_id, -- as aggregates name it
    a.name AS arm, -- its name
    s.name AS space, -- the embedding space that it works in
    a.algorithm, -- how it tells faces apart
    a.parameters, -- with which parameters, as JSON
    (SELECT max(p.at) FROM promotions p WHERE p.arm_id = a.arm_id) AS promoted_at, -- when it last became the installation's
    a.arm_id = coalesce(
        (SELECT p.arm_id FROM promotions p ORDER BY p.number DESC LIMIT 1),
        (SELECT d.arm_id FROM arms d WHERE d.name = 'default')
    ) AS installed -- whether it is the installation's now
FROM arms a JOIN embedding_spaces s USING (space_id);

CREATE VIEW dashboard.promotions AS -- When which arm became the installation's
SELECT
    p.number, -- its number; the newest one counts
    a.name AS arm, -- the arm
    p.at, -- when
    p.author, -- who did it
    e.name AS experiment, -- after this experiment, if after one
    p.undoes -- the number of the one that it takes back
FROM promotions p JOIN arms a USING (arm_id) LEFT JOIN experiments e USING (experiment_id);

CREATE VIEW dashboard.experiments AS -- Experiments, and how far they are
SELECT
    e.name AS experiment, -- its name
    e.mode, -- served or shadow
    e.status, -- draft, running, stopped, concluded or rolled_back
    e.plan ->> 'metric' AS metric, -- what decides
    e.traffic, -- the share of families that take part
    e.holdout, -- the share that is held out
    e.first_month, -- the first month that counts
    e.started_at, -- when it was started
    e.ended_at, -- when it ended
    (SELECT count(*) FROM experiment_families f WHERE f.experiment_id = e.experiment_id) AS families -- families that take part
FROM experiments e;

CREATE VIEW dashboard.experiment_arms AS -- The arms of each experiment, with the families that were assigned and the verdict
SELECT
    e.name AS experiment, -- its name
    a.name AS arm, -- the arm
    x.control, -- whether the others are compared with it
    x.share, -- its share of the families that take part
    (SELECT count(*) FROM experiment_families f WHERE f.experiment_id = x.experiment_id AND f.arm_id = x.arm_id) AS families, -- families that were assigned to it
    e.verdicts #>> ARRAY[a.name, 'outcome'] AS outcome, -- the verdict, once there is one
    e.verdicts -> a.name AS verdict -- the same with its figures, as JSON
FROM experiment_arms x JOIN experiments e USING (experiment_id) JOIN arms a USING (arm_id);

-- --- Families and persons, by id -------------------------------------------------------------------------------

CREATE VIEW dashboard.families AS -- Families, by id alone, with what there is of each as of the last refresh
SELECT
    f.family_id, -- the family, by id alone
    f.created_at AS registered_at, -- when it was registered
    (SELECT count(*) FROM children c WHERE c.family_id = f.family_id) AS children, -- registered children
    t.photos, -- uploaded photos and videos
    t.pending, -- of them, those that wait for analysis
    t.failed, -- of them, those that can't be analysed
    t.faces, -- faces found
    t.first_photo_at, -- when the oldest one was taken
    t.last_photo_at, -- when the newest one was taken
    t.refreshed_at -- when this was counted
FROM families f LEFT JOIN dashboard.family_totals t USING (family_id);

CREATE VIEW dashboard.persons AS -- Persons, by id alone, as of the last refresh
SELECT
    p.family_id, -- the family, by id alone
    p.person_id, -- the person, by id alone
    a.name AS arm, -- the arm that the person is of
    p.hidden, -- whether a user hid the person
    p.merged_into, -- the person that a user merged it into
    l.child_id, -- the child that it is, by id alone
    l.probability, -- how sure that is
    m.faces, -- its faces
    m.confirmed, -- of them, those that a monthly job or a user confirmed
    m.first_month, -- the month of its first face
    m.last_month -- the month of its last face
FROM persons p
JOIN arms a USING (arm_id)
LEFT JOIN links l USING (family_id, person_id)
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(m.faces), 0)::bigint AS faces, coalesce(sum(m.confirmed), 0)::bigint AS confirmed,
        min(m.month) AS first_month, max(m.month) AS last_month
    FROM dashboard.person_months m WHERE m.family_id = p.family_id AND m.person_id = p.person_id
) m;

CREATE VIEW dashboard.links AS -- Which person is which child, and how sure that is
SELECT
    l.family_id, -- the family, by id alone
    l.person_id, -- the person, by id alone
    a.name AS arm, -- the arm that the person is of
    l.child_id, -- the child, by id alone
    l.probability, -- how sure it is
    l.confirmed, -- whether a user said so
    l.evidence, -- what speaks for it, as JSON
    l.linked_at -- since when
FROM links l JOIN persons p USING (family_id, person_id) JOIN arms a USING (arm_id);

-- --- Annotation and signals ------------------------------------------------------------------------------------

CREATE VIEW dashboard.samples AS -- Samples that people label, and how far they are
SELECT
    s.name AS sample, -- its name
    s.kind, -- faces, pairs or clusters
    s.arms, -- the arms that it is about
    s.families, -- families that it was drawn from
    count(i.item_id) AS items, -- questions
    count(i.item_id) FILTER (WHERE EXISTS (
        SELECT FROM labels l
        WHERE l.family_id = i.family_id AND l.sample_id = i.sample_id AND l.item_id = i.item_id
    )) AS labelled, -- of them, those with an answer
    s.drawn_at, -- when it was drawn
    s.concluded_at, -- when it was concluded
    s.estimate -- what it came to, as JSON
FROM samples s LEFT JOIN sample_items i USING (sample_id) GROUP BY s.sample_id;

CREATE VIEW dashboard.signals AS -- What other systems told of families, by month
SELECT
    month, -- the month in which it happened, UTC
    source, -- who told it
    kind, -- what happened
    sum(signals)::bigint AS signals, -- how often
    count(*) AS families, -- in how many families
    sum(value) AS value -- the sum of their values
FROM (
    SELECT
        date_trunc('month', happened_at AT TIME ZONE 'UTC')::date AS month, source, kind, family_id,
        count(*) AS signals, sum(value) AS value
    FROM signals GROUP BY 1, 2, 3, 4
) s GROUP BY 1, 2, 3;

-- --- Names: the only views that hold any -----------------------------------------------------------------------

CREATE VIEW dashboard.family_names AS -- NAMES of families; no other view but those that end in _names has any
SELECT
    family_id, -- the family
    name -- its name
FROM families;

CREATE VIEW dashboard.child_names AS -- NAMES and birth dates of children
SELECT
    family_id, -- the family
    child_id, -- the child
    name, -- its name
    birth_date, -- its birth date
    gender -- female, male or unknown
FROM children;

CREATE VIEW dashboard.person_names AS -- NAMES that users gave to persons
SELECT
    family_id, -- the family
    person_id, -- the person
    name -- the name
FROM persons WHERE name IS NOT NULL;
