-- One family of %(faces)s faces over ten years: two faces a photo, 300 people of whom few are seen most, and one face in
-- twenty of somebody who is seen once.  A face's embedding is its person's direction with noise; runs are the product's.

SET LOCAL synchronous_commit = off;
SELECT setseed(0.5);

INSERT INTO families (family_id, name, created_at) VALUES (%(family)s, 'big', '2016-01-01');
INSERT INTO children (family_id, child_id, name, birth_date, gender, created_at)
SELECT %(family)s, md5('child' || n)::uuid, 'Child ' || n, date '2012-05-01' + n * 900, 'unknown', '2016-01-01'
FROM generate_series(0, 2) n;

CREATE TEMPORARY TABLE directions ON COMMIT DROP AS
SELECT n, l2_normalize(array_agg(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))::halfvec(512)) AS vector
FROM generate_series(0, 2299) n, generate_series(1, 512) GROUP BY n;

CREATE TEMPORARY TABLE drawn ON COMMIT DROP AS
SELECT
    2 * p + side AS f, p, side, taken_at,
    CASE WHEN mod(2 * p + side, 20) < 19 THEN mod(one + CASE side WHEN 0 THEN 0 ELSE 1 + other END, 300) END AS person
FROM (
    SELECT
        p, timestamptz '2016-01-01 UTC' + p * (interval '3652 days' / (%(faces)s / 2)) AS taken_at,
        floor(300 * power(random(), 3))::int AS one, floor(299 * power(random(), 3))::int AS other
    FROM generate_series(0, %(faces)s / 2 - 1) p
) shot, generate_series(0, 1) side;

INSERT INTO photos (
    family_id, photo_id, key, sha256, bytes, format, width, height, taken_at, taken_at_source, status, analyzer_id,
    created_at, analysed_at
)
SELECT
    %(family)s, md5('photo' || p)::uuid, p || '.jpg', decode(md5('photo' || p), 'hex'), 1000000, 'JPEG', 800, 600, taken_at,
    'exif', 'analysed', %(analyzer)s, taken_at, taken_at
FROM drawn WHERE side = 0;

INSERT INTO faces (
    family_id, face_id, photo_id, number, taken_at, box, landmarks, yaw, pitch, roll, age, p_female, quality, score,
    analyzer_id
)
SELECT
    %(family)s, md5('face' || f)::uuid, md5('photo' || p)::uuid, side, taken_at,
    ARRAY[40 + 200 * side, 40, 160 + 200 * side, 190]::real[], array_fill(90::real, ARRAY[10]),
    random() * 40 - 20, 0, 0,
    CASE WHEN person < 3 THEN greatest(0, extract(days FROM taken_at - (date '2012-05-01' + person * 900)) / 365.25 + random())
        ELSE 20 + mod(coalesce(person, f), 40) END,
    0.5, 0.7 + 0.3 * random(), 0.9, %(analyzer)s
FROM drawn;

INSERT INTO face_embeddings (family_id, space_id, face_id, embedding)
SELECT
    %(family)s, %(space)s, md5('face' || f)::uuid,
    l2_normalize(CASE WHEN person IS NULL THEN noise.vector + more.vector ELSE own.vector + noise.vector * share.vector END)
FROM drawn
LEFT JOIN directions own ON own.n = person
JOIN directions noise ON noise.n = 300 + mod(f, 1999)
JOIN directions more ON more.n = 300 + mod(f / 7 + f, 1997)
CROSS JOIN (SELECT array_fill(0.8, ARRAY[512])::halfvec(512) AS vector) share;

INSERT INTO runs (
    family_id, run_id, arm_id, month, input_digest, status, code_version, algorithm, parameters, models, faces, nodes,
    attached, founded, waiting, persons_created, started_at, finished_at
)
SELECT
    %(family)s, md5('run' || month)::uuid, %(arm)s, month, '', 'done', 'drawn', 'constrained', '{}', '{}', count(*), 100,
    count(person), 0, count(*) - count(person), 0, month + interval '1 month', month + interval '1 month'
FROM (SELECT *, date_trunc('month', taken_at AT TIME ZONE 'UTC')::date AS month FROM drawn) shot GROUP BY month;

INSERT INTO plans (family_id, run_id, clustering, linking)
SELECT
    %(family)s, md5('run' || month)::uuid,
    jsonb_build_object('create', '[]'::jsonb, 'move', '[]'::jsonb, 'settled', '[]'::jsonb, 'attach', coalesce(jsonb_agg(jsonb_build_object(
        'face_id', md5('face' || f)::uuid, 'person_id', md5('person' || person)::uuid, 'score', 0.6,
        'nearest', md5('face' || f)::uuid, 'similarity', 0.7, 'rival', NULL)) FILTER (WHERE person IS NOT NULL), '[]'),
        'leave', coalesce(jsonb_agg(jsonb_build_object('face_id', md5('face' || f)::uuid, 'reason', 'alone', 'rival', NULL))
            FILTER (WHERE person IS NULL), '[]')),
    '{"links": [], "open": []}'
FROM (SELECT *, date_trunc('month', taken_at AT TIME ZONE 'UTC')::date AS month FROM drawn) shot GROUP BY month;

INSERT INTO persons (family_id, person_id, arm_id)
SELECT DISTINCT %(family)s::uuid, md5('person' || person)::uuid, %(arm)s FROM drawn WHERE person IS NOT NULL;
INSERT INTO assignments (family_id, arm_id, face_id, person_id, run_id, state, score, assigned_at)
SELECT
    %(family)s, %(arm)s, md5('face' || f)::uuid, md5('person' || person)::uuid,
    md5('run' || date_trunc('month', taken_at AT TIME ZONE 'UTC')::date)::uuid, 'confirmed', 0.6, taken_at
FROM drawn WHERE person IS NOT NULL;
INSERT INTO links (family_id, person_id, child_id, probability, evidence, linked_at)
SELECT %(family)s, md5('person' || n)::uuid, md5('child' || n)::uuid, 0.98, '{}', '2026-01-01' FROM generate_series(0, 2) n;
INSERT INTO breakage (family_id, run_id, person_id, nodes, mixing, disappearance, splitting, clusters)
SELECT family_id, run_id, md5('person' || n)::uuid, 10, false, false, mod(n, 30) = 7, '[6, 4]'
FROM runs CROSS JOIN (SELECT DISTINCT person AS n FROM drawn WHERE person IS NOT NULL) known WHERE family_id = %(family)s;
