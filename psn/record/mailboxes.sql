-- What one batch of the record does, in one call: every statement of its own would cost a round trip
-- while all that gathered waits. Each connection of the record makes this function for itself
-- (psn.record.mailboxes.prepare), so code and SQL are of one version. It is called as a statement of its
-- own, which is a transaction.
--
-- Numbers: messages are 1, 2, 3 ... as given, the receipts follow. log_of is the row of the log that
-- each became; NULL for a message that was there before, or whose body is NULL because it is only
-- asked about. There is one writer (psn.record.log), so what is not in the log now is not there later.
--
-- States of a receipt: 1 delivered, 2 read, 3 expired (psn.record.mailboxes.STATES).
--
-- Plans are generic and may have been made while a table was small. So nothing here leaves
-- PostgreSQL a choice of where to begin: whatever is found by key is found by a scalar subquery, or
-- behind OFFSET 0, which no planner moves. An outer join in place of span was read from the
-- beginning of every mailbox, NOT EXISTS read the whole log into a hash, and what was given joined
-- with what was given by value is quadratic in the batch.
CREATE OR REPLACE FUNCTION pg_temp.store(
  clock bigint,
  mark_box text[], mark_reader text[], mark_through bigint[], mark_since bigint[], mark_known text[],
  read_box text[], read_reader text[], read_seq bigint[], read_state int[], read_known text[],
  names jsonb,
  message_uid uuid[], message_author text[], message_agency int[], message_body text[],
  copy_number int[], copy_box text[]
) RETURNS TABLE (number int, box text, seq bigint, body jsonb)
LANGUAGE plpgsql AS $store$
#variable_conflict use_column
DECLARE
  moment timestamptz := to_timestamp(clock / 1000.0);
  log_ids regclass := pg_get_serial_sequence('log', 'id');
  messages int := cardinality(message_uid);
  receipt_author text[];
  receipt_reader text[];
  receipt_body jsonb[];
  log_of bigint[];
  entry_number int[];
  entry_box text[];
BEGIN
  IF cardinality(mark_box) + cardinality(read_box) > 0 THEN
    WITH mark AS (
      SELECT * FROM unnest(mark_box, mark_reader, mark_through, mark_since, mark_known)
                 AS m(address, reader, seq, since, known)
    ), advanced AS (
      INSERT INTO delivery AS d (address, reader, seq, joined)
      SELECT address, reader, greatest(seq, since), since FROM mark ORDER BY address, reader
          ON CONFLICT (address, reader) DO UPDATE
         SET seq = greatest(d.seq, excluded.seq), joined = greatest(d.joined, excluded.joined)
    ), span AS MATERIALIZED (
      SELECT m.address, m.reader, m.known, m.seq,
             greatest(m.since, (SELECT d.seq FROM delivery d
                                 WHERE d.address = m.address AND d.reader = m.reader)) AS since
        FROM mark m
    ), reached AS (
      SELECT s.address, s.reader, s.known, e.log_id, 0 AS state
        FROM span s
       CROSS JOIN LATERAL (
             SELECT e.log_id FROM mailbox_entry e
              WHERE e.address = s.address AND e.seq > s.since AND e.seq <= s.seq
             OFFSET 0) AS e
       UNION ALL
      SELECT r.address, r.reader, r.known,
             (SELECT e.log_id FROM mailbox_entry e WHERE e.address = r.address AND e.seq = r.seq),
             r.state
        FROM unnest(read_box, read_reader, read_seq, read_state, read_known)
                 AS r(address, reader, seq, state, known)
       WHERE r.seq > coalesce((SELECT d.joined FROM delivery d
                                WHERE d.address = r.address AND d.reader = r.reader), 0)
    ), earned AS MATERIALIZED (
      -- Who may not know the reader is told of the mailbox instead: a group, an agency.
      SELECT DISTINCT r.log_id, l.author, l.uid,
             CASE WHEN r.address = r.reader OR l.agency_id = ANY (r.known::int[])
                  THEN r.reader ELSE r.address END AS reader,
             CASE WHEN r.state = 2 THEN 2 WHEN l.expires < clock THEN 3 ELSE 1 END AS state
        FROM reached r
       CROSS JOIN LATERAL (
             SELECT l.kind, l.author, l.agency_id, l.uid, (l.body->>'expires')::bigint AS expires
               FROM log l WHERE l.id = r.log_id
             OFFSET 0) AS l
       WHERE l.kind = 'message' AND l.author <> r.reader
    ), new AS MATERIALIZED (
      SELECT * FROM earned e
       WHERE (SELECT count(*) FROM receipt r
               WHERE r.log_id = e.log_id AND r.reader = e.reader
                 AND (r.state = 2) = (e.state = 2)) = 0
    ), kept AS (
      INSERT INTO receipt (log_id, reader, state, at)
      SELECT log_id, reader, state, moment FROM new ORDER BY 1, 2, 3
    ), told AS (
      SELECT author, reader, min(log_id) AS first, state,
             jsonb_build_object(
               'kind', 'receipt', 'of', jsonb_agg(uid ORDER BY log_id),
               'by', reader, 'by_name', names->>reader,
               'state', (ARRAY['delivered', 'read', 'expired'])[state], 'time', clock) AS body
        FROM new
       GROUP BY author, reader, state
    )
    SELECT array_agg(author ORDER BY first, reader, state),
           array_agg(reader ORDER BY first, reader, state),
           array_agg(body ORDER BY first, reader, state)
      INTO receipt_author, receipt_reader, receipt_body
      FROM told;
  END IF;

  log_of := array(
    SELECT CASE WHEN m.body IS NOT NULL AND (SELECT l.id FROM log l WHERE l.uid = m.uid) IS NULL
                THEN nextval(log_ids) END
      FROM unnest(message_uid, message_body) WITH ORDINALITY AS m(uid, body, place)
     ORDER BY place);
  IF array_position(log_of, NULL) IS NOT NULL THEN
    RETURN QUERY
    SELECT m.place::int, NULL::text, NULL::bigint, (SELECT l.body FROM log l WHERE l.uid = m.uid)
      FROM unnest(message_uid) WITH ORDINALITY AS m(uid, place)
     WHERE log_of[m.place] IS NULL;
  END IF;
  log_of := log_of || array(SELECT nextval(log_ids) FROM unnest(receipt_body));

  INSERT INTO log (id, uid, kind, author, agency_id, at, body)
  SELECT n.id, n.uid, 'message', n.author, n.agency, moment, n.body::jsonb
    FROM unnest(log_of[:messages], message_uid, message_author, message_agency, message_body)
         AS n(id, uid, author, agency, body)
   WHERE n.id IS NOT NULL
   UNION ALL
  SELECT n.id, NULL, 'receipt', n.reader, NULL, moment, n.body
    FROM unnest(log_of[messages + 1:], receipt_reader, receipt_body) AS n(id, reader, body);

  SELECT array_agg(e.number ORDER BY e.box COLLATE "C", e.number),
         array_agg(e.box ORDER BY e.box COLLATE "C", e.number)
    INTO entry_number, entry_box
    FROM (SELECT c.number, c.box FROM unnest(copy_number, copy_box) AS c(number, box)
           WHERE log_of[c.number] IS NOT NULL
           UNION ALL
          SELECT messages + r.place::int, r.author
            FROM unnest(receipt_author) WITH ORDINALITY AS r(author, place)) AS e;

  INSERT INTO mailbox AS m (address, head)
  SELECT e.box, count(*) FROM unnest(entry_box) AS e(box) GROUP BY e.box ORDER BY e.box
      ON CONFLICT (address) DO UPDATE SET head = m.head + excluded.head;

  RETURN QUERY
  WITH counted AS (
    SELECT e.number, e.box,
           row_number() OVER (PARTITION BY e.box ORDER BY e.number) AS nth,
           count(*) OVER (PARTITION BY e.box) AS added
      FROM unnest(entry_number, entry_box) AS e(number, box)
  ), placed AS MATERIALIZED (
    SELECT c.number, c.box,
           (SELECT m.head FROM mailbox m WHERE m.address = c.box) - c.added + c.nth AS seq
      FROM counted c
  ), entered AS (
    INSERT INTO mailbox_entry (address, seq, log_id)
    SELECT p.box, p.seq, log_of[p.number] FROM placed p
  )
  SELECT p.number, p.box, p.seq, receipt_body[p.number - messages]
    FROM placed p ORDER BY p.number, p.seq;
END
$store$
