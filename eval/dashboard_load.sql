-- Fills an empty database with %(faces)s faces: 1,000 a family, of 24 months, 8 persons and 600 photos.
-- Rows are written without checking references; what they refer to is all here.  Embeddings, which no page reads, are
-- left out.

SET LOCAL session_replication_role = replica;
SET LOCAL synchronous_commit = off;

CREATE TEMPORARY TABLE family ON COMMIT DROP AS
SELECT n, md5('family' || n)::uuid AS family_id FROM generate_series(0, %(faces)s / 1000 - 1) n;

INSERT INTO embedding_spaces (name) VALUES ('load');
INSERT INTO analyzers (digest, models, space_id) SELECT 'load', '{}', space_id FROM embedding_spaces;
INSERT INTO arms (name, space_id, algorithm, parameters) SELECT 'default', space_id, 'components', '{}' FROM embedding_spaces;

INSERT INTO families (family_id, name, created_at) SELECT family_id, 'family ' || n, '2024-01-01' FROM family;

INSERT INTO children (family_id, child_id, name, birth_date, gender, created_at)
SELECT family_id, md5('child' || n)::uuid, 'child', '2020-05-01', 'female', '2024-01-01' FROM family;

INSERT INTO photos (family_id, photo_id, key, sha256, bytes, taken_at, taken_at_source, status, analyzer_id, created_at, analysed_at)
SELECT
    family_id, md5('photo' || n || '/' || p)::uuid, p::text, decode(md5(n || '/' || p), 'hex'), 1000000,
    day, 'exif', CASE WHEN p = 599 AND mod(n, 10) = 0 THEN 'pending' ELSE 'analysed' END, 1, day + interval '1 hour',
    day + interval '2 hours'
FROM family
CROSS JOIN generate_series(0, 599) p
CROSS JOIN LATERAL (SELECT timestamptz '2024-01-01 UTC' + p * interval '29 hours' AS day) taken;

INSERT INTO photo_problems (family_id, photo_id, stage, code, detail, noticed_at)
SELECT family_id, photo_id, 'analysis', 'unreadable', '', created_at FROM photos WHERE mod(key::int, 200) = 7;

INSERT INTO faces (
    family_id, face_id, photo_id, number, taken_at, box, landmarks, yaw, pitch, roll, age, p_female, quality, score, analyzer_id
)
SELECT
    family_id, md5('face' || n || '/' || f)::uuid, md5('photo' || n || '/' || mod(f, 600))::uuid, f / 600,
    timestamptz '2024-01-01 UTC' + mod(f, 600) * interval '29 hours', '{0,0,100,100}', '{0,0,0,0,0,0,0,0,0,0}',
    0, 0, 0, mod(f, 8) * 5 + 3, 0.5, 0.9, 0.9, 1
FROM family CROSS JOIN generate_series(0, 999) f;

INSERT INTO runs (
    family_id, run_id, arm_id, month, input_digest, status, code_version, algorithm, parameters, models, faces, nodes,
    attached, founded, waiting, persons_created, started_at, finished_at
)
SELECT
    family_id, md5('run' || n || '/' || m)::uuid, 1, (date '2024-01-01' + m * interval '1 month')::date, '', 'done', 'load',
    'components', '{}', '{}', 42, 100, 40, 0, 2, 0, '2026-01-01', '2026-01-01'
FROM family CROSS JOIN generate_series(0, 23) m;

INSERT INTO persons (family_id, person_id, arm_id) SELECT family_id, md5('person' || n || '/' || p)::uuid, 1
FROM family CROSS JOIN generate_series(0, 7) p;

INSERT INTO links (family_id, person_id, child_id, probability, evidence, linked_at)
SELECT family_id, md5('person' || n || '/0')::uuid, md5('child' || n)::uuid, 0.98, '{}', '2026-01-01' FROM family;

INSERT INTO assignments (family_id, arm_id, face_id, person_id, state, score, assigned_at)
SELECT
    family_id, 1, md5('face' || n || '/' || f)::uuid, md5('person' || n || '/' || mod(f + f / 600, 8))::uuid, 'confirmed', 0.7, '2026-01-01'
FROM family CROSS JOIN generate_series(0, 999) f WHERE mod(f, 20) > 0;

INSERT INTO breakage (family_id, run_id, person_id, nodes, mixing, disappearance, splitting, clusters)
SELECT family_id, md5('run' || n || '/' || m)::uuid, md5('person' || n || '/' || p)::uuid, 10, mod(n + m + p, 20) = 0, false, false, '[]'
FROM family CROSS JOIN generate_series(1, 23) m CROSS JOIN generate_series(0, 7) p;

INSERT INTO family_metrics (family_id, arm_id, month, metric, slice, total, cases, model, code_version, computed_at)
SELECT family_id, 1, (date '2024-01-01' + m * interval '1 month')::date, metric, slice, mod(n + m, 5), 8, 'load', 'load', '2026-01-01'
FROM family
CROSS JOIN generate_series(0, 23) m
CROSS JOIN unnest(ARRAY['association', 'coverage', 'breakage', 'mixing', 'disappearance', 'splitting', 'churn', 'waiting']) metric
CROSS JOIN unnest(ARRAY['', 'age:0-2', 'age:3-6', 'gender:female']) slice;

INSERT INTO metric_totals (batch, arm_id, month, metric, slice, families, total, cases, low, high, level, computed_at)
SELECT 1, arm_id, month, metric, slice, count(*), sum(total), sum(cases), 0, 1, 0.95, '2026-01-01'
FROM family_metrics GROUP BY arm_id, month, metric, slice;

INSERT INTO batches (batch_id, number, through, arm, status, all_handed_out, created_at)
SELECT md5('batch' || b)::uuid, b, '2025-12-01', 'default', CASE b WHEN 3 THEN 'running' ELSE 'cancelled' END, true, '2026-01-01'
FROM generate_series(1, 3) b;

INSERT INTO batch_families (family_id, batch_id, status, attempts, code, detail, faces, handed_out_at, finished_at)
SELECT
    family_id, md5('batch' || b)::uuid, CASE mod(n, 100) WHEN 0 THEN 'failed' ELSE 'done' END, 0,
    CASE mod(n, 100) WHEN 0 THEN 'crashed' END, CASE mod(n, 100) WHEN 0 THEN 'somewhere' END, 1000, '2026-01-01', '2026-01-01'
FROM family CROSS JOIN generate_series(1, 3) b;

INSERT INTO decisions (family_id, decision_id, number, arm_id, kind, subject, anchors, correction, author, decided_at)
SELECT
    family_id, md5('decision' || n || '/' || d)::uuid, d, 1, 'reject',
    jsonb_build_object(
        'kind', 'reject', 'faces', jsonb_build_array(md5('face' || n || '/' || d)::uuid),
        'person', md5('person' || n || '/' || mod(d + 1, 8))::uuid
    ), '{}', '{}', 'user', '2024-01-15'::timestamptz + d * interval '1 month'
FROM family CROSS JOIN generate_series(1, 10) d;

INSERT INTO experiments (name, mode, status, salt, holdout, traffic, plan, created_at)
VALUES ('load', 'served', 'running', 'load', 0.1, 1, '{"metric": "breakage"}', '2026-01-01');
INSERT INTO experiment_arms (experiment_id, position, arm_id, share, control) VALUES (1, 0, 1, 1, true);
INSERT INTO experiment_families (family_id, experiment_id, arm_id, assigned_at) SELECT family_id, 1, 1, '2026-01-01' FROM family;

INSERT INTO samples (sample_id, name, kind, size, seed, arms, stratified_by, allocation, families, strata, drawn_at)
VALUES (md5('sample')::uuid, 'load', 'faces', 1000, 1, '{default}', '{}', 'proportional', 1000, '{}', '2026-01-01');
INSERT INTO sample_items (family_id, sample_id, item_id, stratum, probability, faces, together, size)
SELECT family_id, md5('sample')::uuid, md5('item' || n)::uuid, '', 0.001, '{}', '{}', 1 FROM family LIMIT 1000;

INSERT INTO signals (family_id, source, external_id, kind, happened_at, arrived_at, value)
SELECT family_id, 'app', s::text, 'album_view', '2024-01-15'::timestamptz + s * interval '18 days', '2026-01-01', 1
FROM family CROSS JOIN generate_series(1, 40) s;
INSERT INTO dashboard.family_signals
SELECT family_id, date_trunc('month', happened_at AT TIME ZONE 'UTC'), source, kind, count(*), sum(value)
FROM signals GROUP BY 1, 2, 3, 4;

INSERT INTO dashboard.changes SELECT family_id, 0 FROM family;
