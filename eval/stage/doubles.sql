-- A bad post office for the outbox: one message in twenty is delivered a second time, up to ten seconds later, so also
-- after younger messages.  `late` keeps what was doubled; the driver calls deliver_late().
CREATE TABLE late (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    family_id uuid NOT NULL,
    queue text NOT NULL,
    message jsonb NOT NULL,
    due timestamptz NOT NULL,
    delivered boolean NOT NULL DEFAULT false
);

CREATE FUNCTION write_twice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.05 AND coalesce(current_setting('chaos.delivers', true), '') <> 'yes' THEN
        INSERT INTO late (family_id, queue, message, due)
        VALUES (new.family_id, new.queue, new.message, now() + random() * interval '10 s');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER write_twice AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION write_twice();

CREATE PROCEDURE deliver_late(everything boolean) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('chaos.delivers', 'yes', true);
    WITH due AS (
        UPDATE late SET delivered = true
        WHERE NOT delivered AND (everything OR due < now())
        RETURNING late.family_id, late.queue, late.message
    )
    INSERT INTO outbox (family_id, queue, message, written_at)
    SELECT family_id, queue, message, now() FROM due ORDER BY random();
END $$;
