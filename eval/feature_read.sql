-- So many faces of 1,000 a family, each with an embedding, a person and an assignment; a thousand vectors go round.
INSERT INTO embedding_spaces (name) VALUES ('fused-512') ON CONFLICT DO NOTHING;
INSERT INTO analyzers (digest, models, space_id) SELECT 'drawn', '{}', space_id FROM embedding_spaces LIMIT 1;
INSERT INTO arms (name, space_id, algorithm, parameters)
SELECT 'default', space_id, 'constrained', '{}' FROM embedding_spaces LIMIT 1;
SELECT setseed(0.5);
CREATE TEMPORARY TABLE vectors AS
SELECT n, array_agg(random() - 0.5)::halfvec(512) AS vector
FROM generate_series(0, 999) AS n, generate_series(1, 512) GROUP BY n;
CREATE TEMPORARY TABLE drawn AS
SELECT md5('family' || n / 1000)::uuid AS family, md5('face' || n)::uuid AS face, md5('photo' || n)::uuid AS photo,
  md5('person' || n / 1000 || '-' || mod(n, 10))::uuid AS person, n, timestamptz '2026-01-01' + mod(n, 300) * interval '1 day' AS day
FROM generate_series(0, %(faces)s - 1) AS n;
INSERT INTO families (family_id, name, created_at)
SELECT DISTINCT family, family::text, timestamptz '2026-01-01' FROM drawn;
INSERT INTO photos (family_id, photo_id, key, sha256, taken_at, taken_at_source, status, created_at)
SELECT family, photo, n::text, decode(md5(n::text), 'hex'), day, 'manifest', 'analysed', day FROM drawn;
INSERT INTO faces (family_id, face_id, photo_id, number, taken_at, box, landmarks, yaw, pitch, roll, age, p_female,
  quality, score, analyzer_id)
SELECT family, face, photo, 0, day, ARRAY[10, 10, 110, 150], array_fill(50::real, ARRAY[10]), random() * 60 - 30, 0, 0,
  random() * 40, random(), random(), 0.9, 1 FROM drawn;
INSERT INTO face_embeddings (family_id, space_id, face_id, embedding)
SELECT family, 1, face, vector FROM drawn JOIN vectors ON vectors.n = mod(drawn.n, 1000);
INSERT INTO persons (family_id, person_id, arm_id) SELECT DISTINCT family, person, 1 FROM drawn;
INSERT INTO assignments (family_id, arm_id, face_id, person_id, state, score, assigned_at)
SELECT family, 1, face, person, 'confirmed', random(), day FROM drawn;
