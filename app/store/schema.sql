-- The store (protocol.md, rooms.md, wire.md, verification.md). node.sql is a second file: what a headless node keeps for others.
-- Tables and columns are marked KEEP (goes into snapshot and backup) or SECRET (never leaves this file; a copy that is opened
-- later starts without it: a new device, new sessions, new logs). "Derived": made anew from what is signed. Times are Unix
-- milliseconds. A message is (log, idx).
PRAGMA application_id = 0x43515831; -- 'CQX1'

-- 'commits': plus one in every write transaction, what the anchor is compared with. 'inc': when volatile state began. 'ran': ms that
-- we have been running, for the key life. 'device': ours. And the settings.
CREATE TABLE meta( -- KEEP
  k TEXT PRIMARY KEY, v ANY NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('commits', 0), ('ran', 0);

CREATE TABLE secrets( -- 'words' KEEP until the person has saved them, then erased, in snapshots too; device and host seeds SECRET
  k TEXT PRIMARY KEY, v BLOB NOT NULL
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------------------------------------ people, KEEP
CREATE TABLE accounts( -- 1 = ourselves; a key cannot change, the id is its hash
  id INTEGER PRIMARY KEY, account_id BLOB NOT NULL UNIQUE CHECK(length(account_id) = 32),
  pk BLOB CHECK(length(pk) = 1984), -- NULL: known by invitation or roster only
  suite INTEGER NOT NULL DEFAULT 1, -- highest ever seen: a lower one is refused
  list_counter INTEGER NOT NULL DEFAULT 0, device_list BLOB, -- as signed: the answer to a lower counter, which is never accepted
  state INTEGER NOT NULL DEFAULT 0, -- 0 met in a room, 1 asks us, 2 we asked, 3 contact, 4 blocked
  state_at INTEGER, invitation BLOB, -- theirs, while we ask: its token goes with the first frame or INIT
  petname TEXT NOT NULL DEFAULT '', their_name TEXT NOT NULL DEFAULT '',
  verified_how INTEGER NOT NULL DEFAULT 0, verified_at INTEGER, -- 0 no, 1 link, 2 QR, 3 safety number, 4 introduced
  qkd_policy INTEGER NOT NULL DEFAULT 0, -- 0 off, 1 prefer, 2 require
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX accounts_state ON accounts(state);

CREATE TABLE devices( -- revoked ones too: logs and proofs name them. Index and PeerID need not be unique: their account may lie
  id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE, idx INTEGER NOT NULL,
  digest BLOB NOT NULL UNIQUE CHECK(length(digest) = 32), -- of the certificate: the DeviceID
  peer_id BLOB NOT NULL, pk BLOB NOT NULL CHECK(length(pk) = 1984), cert BLOB NOT NULL, caps INTEGER NOT NULL DEFAULT 0,
  state INTEGER NOT NULL DEFAULT 0, since INTEGER, -- in the newest list: 0 not on it, 1 valid, 2 revoked
  approved INTEGER NOT NULL DEFAULT 0, -- 0: new on an account that we knew; sending waits for the person's yes
  inc INTEGER NOT NULL DEFAULT 0, -- highest seen, in a bundle or an INIT: a lower one is refused
  card_flags INTEGER NOT NULL DEFAULT 0, -- of its newest card
  seen_at INTEGER
) STRICT;
CREATE INDEX devices_account ON devices(account, idx);
CREATE INDEX devices_peer ON devices(peer_id);

CREATE TABLE bundles( -- the newest signed prekey of each; an older one is refused
  device INTEGER PRIMARY KEY REFERENCES devices(id) ON DELETE CASCADE, inc INTEGER NOT NULL, made INTEGER NOT NULL,
  spk BLOB NOT NULL CHECK(length(spk) = 1216), raw BLOB NOT NULL
) STRICT;

CREATE TABLE pairs( -- rendezvous with a contact: the lower account makes the secret, monthly; counters only rise
  account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE, secret BLOB NOT NULL CHECK(length(secret) = 32),
  former BLOB, made_at INTEGER NOT NULL, counter INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0 -- ours, theirs
) STRICT;

CREATE TABLE addresses( -- signed peer records
  peer_id BLOB PRIMARY KEY, seq INTEGER NOT NULL, record BLOB NOT NULL, last_ok INTEGER,
  addrs TEXT NOT NULL DEFAULT '' -- multiaddresses, one a line, the last good one first
) STRICT, WITHOUT ROWID;

CREATE TABLE helpers( -- relays, rendezvous, mailboxes, verifiers (role 1 to 4): ours (account 1) and our contacts'
  account INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE, peer_id BLOB NOT NULL, role INTEGER NOT NULL,
  cert BLOB, -- a mailbox's device certificate: custody is signed by it
  quota INTEGER, last_ok INTEGER, emptied_at INTEGER, heard INTEGER, -- our mailboxes: meta 'ran' when it last answered
  PRIMARY KEY(account, peer_id, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE slots( -- ours: one for each contact or room, so that each is revocable alone
  slot BLOB PRIMARY KEY CHECK(length(slot) = 16), mailbox BLOB NOT NULL, write_key BLOB NOT NULL CHECK(length(write_key) = 32),
  account INTEGER REFERENCES accounts(id), room INTEGER REFERENCES rooms(id) ON DELETE SET NULL, -- neither: invitation, or to be revoked
  seq INTEGER NOT NULL DEFAULT 0, until_at INTEGER NOT NULL -- LIST goes on after seq
) STRICT, WITHOUT ROWID;
CREATE INDEX slots_room ON slots(room);

CREATE TABLE their_slots( -- by PeerID, because an invitation names no more
  id INTEGER PRIMARY KEY, peer_id BLOB NOT NULL, mailbox BLOB NOT NULL, slot BLOB NOT NULL CHECK(length(slot) = 16),
  write_key BLOB NOT NULL CHECK(length(write_key) = 32), room INTEGER REFERENCES rooms(id) ON DELETE CASCADE, -- NULL: as a contact
  state INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL, -- 0 good, 1 full, 2 no slot, 3 bad key
  UNIQUE(peer_id, mailbox, slot)
) STRICT;
CREATE INDEX their_slots_room ON their_slots(room);

CREATE TABLE invitations( -- ours
  token_hash BLOB PRIMARY KEY, slot BLOB, made_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_by INTEGER REFERENCES accounts(id)
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------------------------------------- rooms, KEEP
CREATE TABLE rooms(
  id INTEGER PRIMARY KEY, uid BLOB NOT NULL UNIQUE CHECK(length(uid) = 32), genesis BLOB NOT NULL, -- uid: its SHA-256
  kind INTEGER NOT NULL, policy INTEGER NOT NULL DEFAULT 0, -- 1 direct, 2 group, 3 notes; 0 signed, 1 verified
  previous BLOB, next INTEGER, -- room id before; our row of the successor: one thread, only the last is in the list
  submit_key BLOB CHECK(length(submit_key) = 32), history INTEGER NOT NULL DEFAULT 0,
  state INTEGER NOT NULL DEFAULT 0, left_at INTEGER, -- 0 open, 1 offered to us, 2 authority frozen, 3 stopped: verifiers contradict
  title TEXT NOT NULL DEFAULT '', avatar BLOB, ttl_ms INTEGER, -- derived from control
  muted_until INTEGER, archived INTEGER NOT NULL DEFAULT 0, pinned INTEGER NOT NULL DEFAULT 0, draft TEXT NOT NULL DEFAULT '',
  last_sort INTEGER NOT NULL DEFAULT 0, read_sort INTEGER NOT NULL DEFAULT 0, unread INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX rooms_list ON rooms(archived, pinned DESC, last_sort DESC) WHERE next IS NULL;

CREATE TABLE gates( -- SECRET but for the newest. Sent under: the newest that excludes the removed, then the lowest tag
  room INTEGER NOT NULL REFERENCES rooms(id) ON DELETE CASCADE, tag BLOB NOT NULL CHECK(length(tag) = 16),
  secret BLOB NOT NULL CHECK(length(secret) = 32), heads BLOB NOT NULL, -- membership heads: whom it excludes
  made_at INTEGER NOT NULL, replaced_at INTEGER, -- accepted for 45 days after
  PRIMARY KEY(room, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX gates_tag ON gates(tag); -- what a header names. Not unique: a member may bring one secret into two rooms

CREATE TABLE control( -- the set of entries that membership is a function of
  entry INTEGER PRIMARY KEY REFERENCES entries(id) ON DELETE CASCADE, room INTEGER NOT NULL REFERENCES rooms(id) ON DELETE CASCADE,
  hash BLOB NOT NULL UNIQUE CHECK(length(hash) = 32),
  op INTEGER NOT NULL, -- 1 GRANT, 2 REVOKE, 3 TRANSFER, 4 ADD, 5 REMOVE, 6 role, 7 LEAVE, 8 name, 9 picture, 10 timer
  target INTEGER REFERENCES accounts(id), value BLOB,
  cut BLOB, -- REVOKE, REMOVE: (log id, k, digest) of each log of the target that the author knows
  parents BLOB NOT NULL, -- membership heads in its past
  void INTEGER NOT NULL DEFAULT 0 -- derived: 1 the owner is asked "redo?", 2 asked
) STRICT;
CREATE INDEX control_room ON control(room);

CREATE TABLE views( -- derived: what the control entries in one causal past say; entitled() wants it of every segment
  id INTEGER PRIMARY KEY, room INTEGER NOT NULL REFERENCES rooms(id) ON DELETE CASCADE, heads BLOB NOT NULL, members BLOB NOT NULL,
  UNIQUE(room, heads)
) STRICT;

CREATE TABLE members( -- derived: the newest view
  room INTEGER NOT NULL REFERENCES rooms(id) ON DELETE CASCADE, account INTEGER NOT NULL REFERENCES accounts(id),
  role INTEGER NOT NULL, PRIMARY KEY(room, account) -- 0 out, 1 reader, 2 member, 3 admin, 4 owner
) STRICT, WITHOUT ROWID;
CREATE INDEX members_account ON members(account);

CREATE TABLE seats( -- verifiers: the roster of the genesis and what came to it
  room INTEGER NOT NULL REFERENCES rooms(id) ON DELETE CASCADE, seat INTEGER NOT NULL, account INTEGER NOT NULL REFERENCES accounts(id),
  key_hash BLOB NOT NULL CHECK(length(key_hash) = 32), pk BLOB CHECK(length(pk) = 1984), accepted BLOB, -- ACCEPT, for proofs
  lost_at INTEGER, PRIMARY KEY(room, seat) -- SEAT-LOST: empty for good
) STRICT;

-------------------------------------------------------------------------------------------- logs, segments, entries, KEEP
CREATE TABLE logs( -- one device in one room. stored, opened, read, head_* are our own HAVE of it
  id INTEGER PRIMARY KEY, log_id BLOB NOT NULL UNIQUE CHECK(length(log_id) = 32), -- H("CQ1 log", room id, pk)
  room INTEGER NOT NULL REFERENCES rooms(id) ON DELETE CASCADE, device INTEGER REFERENCES devices(id), -- NULL: not yet known
  pk BLOB CHECK(length(pk) = 1984), cert BLOB, seed BLOB, -- pk NULL: only named in deps. seed: ours only, SECRET
  previous BLOB, -- id of the log that it continues
  state INTEGER NOT NULL DEFAULT 0, -- 0 open, 1 closed by the one that continues it, 2 frozen: forked
  fork_k INTEGER, cut_k INTEGER, -- grey from there on: lowest fork point over all evidence; derived: cuts of standing removals
  base_k INTEGER NOT NULL DEFAULT 0, base INTEGER NOT NULL DEFAULT 0, base_digest BLOB, base_edge BLOB, -- where we came in (WELCOME)
  head_k INTEGER NOT NULL DEFAULT -1, head_digest BLOB, size INTEGER NOT NULL DEFAULT 0, -- newest header; entries up to it
  stored INTEGER NOT NULL DEFAULT 0, opened INTEGER NOT NULL DEFAULT 0, read INTEGER NOT NULL DEFAULT 0, -- entries without a gap
  whole_k INTEGER NOT NULL DEFAULT -1, cited_k INTEGER NOT NULL DEFAULT -1, -- newest whose whole past is here; what our deps named last
  named_k INTEGER NOT NULL DEFAULT -1, named_at INTEGER NOT NULL DEFAULT 0, -- the highest that somebody says to hold, and since when
  tree INTEGER NOT NULL DEFAULT 0, edge BLOB -- Merkle right edge over headers 0 to tree-1: the past root of header `tree`
) STRICT;
CREATE INDEX logs_room ON logs(room);
CREATE INDEX logs_own ON logs(room) WHERE seed IS NOT NULL;
CREATE INDEX logs_device ON logs(device);

CREATE TABLE segments( -- about 360 B. Headers stay for ever; the gate is made anew when one is sent
  log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, k INTEGER NOT NULL, digest BLOB NOT NULL CHECK(length(digest) = 32),
  header BLOB NOT NULL CHECK(length(header) = 216), deps BLOB NOT NULL, -- both as they came
  first INTEGER NOT NULL, size INTEGER NOT NULL, -- entries before it, and with it
  sort INTEGER NOT NULL, view INTEGER, -- derived, from the parents that are here; view NULL: its past is not whole, see waits
  at INTEGER NOT NULL, PRIMARY KEY(log, k)
) STRICT, WITHOUT ROWID;

CREATE TABLE tree( -- RFC 6962 hash of headers 256n to 256n+255: a proof reads these and at most 512 headers
  log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, n INTEGER NOT NULL, hash BLOB NOT NULL CHECK(length(hash) = 32),
  PRIMARY KEY(log, n)
) STRICT, WITHOUT ROWID;

-- 3373 B each. A newer one covers every older header through past root. So when one is stored the one before it goes, but for the
-- last of a day and those with keep:
--   DELETE FROM signatures WHERE log = ?1 AND k = (SELECT max(k) FROM signatures WHERE log = ?1 AND k < ?2) AND day = ?3 AND keep = 0
CREATE TABLE signatures(
  id INTEGER PRIMARY KEY, log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, k INTEGER NOT NULL,
  day INTEGER NOT NULL, -- when it came: the header's time would let its author make us keep all
  sig BLOB NOT NULL CHECK(length(sig) = 3373),
  keep INTEGER NOT NULL DEFAULT 0, -- bits: 1 last before a removal or revocation, 2 pinned or exported, 4 target
  UNIQUE(log, k)
) STRICT;

CREATE TABLE entries( -- AUTOINCREMENT: an id is never used again
  id INTEGER PRIMARY KEY AUTOINCREMENT, log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, idx INTEGER NOT NULL,
  k INTEGER NOT NULL, leaf BLOB NOT NULL CHECK(length(leaf) = 32),
  raw BLOB, -- as it travelled, what others are served and proofs hold; NULL after retention
  prk BLOB CHECK(length(prk) = 32), -- its only opening: proofs and KEYREQ need it; goes where the plaintext goes, erased with it
  state INTEGER NOT NULL, -- 0 opened, 1 no key yet, 2 not accepted: grey, 3 erased, 4 not for us: from before we joined
  UNIQUE(log, idx)
) STRICT;
CREATE INDEX entries_closed ON entries(log, idx) WHERE state = 1;

CREATE TABLE messages( -- what a thread shows
  id INTEGER PRIMARY KEY REFERENCES entries(id) ON DELETE CASCADE, room INTEGER NOT NULL REFERENCES rooms(id) ON DELETE CASCADE,
  sort INTEGER NOT NULL, tie INTEGER NOT NULL, idx INTEGER NOT NULL, -- of the segment; first 6 bytes of the log id: the same everywhere
  sender INTEGER NOT NULL REFERENCES accounts(id), kind INTEGER NOT NULL, flags INTEGER NOT NULL DEFAULT 0, -- pinned, mention, grey
  sent_at INTEGER NOT NULL, recv_at INTEGER NOT NULL, expires_at INTEGER, deleted_at INTEGER, edits INTEGER NOT NULL DEFAULT 0,
  reply_log INTEGER, reply_idx INTEGER, -- no foreign key where the child has no index: deleting a room would scan
  hold_until INTEGER, -- kept off the screen until then: a parent is missing; NULL: shown
  body TEXT, payload BLOB -- payload: of a kind this version does not show
) STRICT;
CREATE INDEX messages_page ON messages(room, sort, tie, idx);
CREATE INDEX messages_held ON messages(hold_until) WHERE hold_until IS NOT NULL;
CREATE INDEX messages_expiry ON messages(expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE edits( -- former texts
  message INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE, n INTEGER NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(message, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE reactions(
  message INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE, account INTEGER NOT NULL REFERENCES accounts(id),
  emoji TEXT NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY(message, account, emoji)
) STRICT, WITHOUT ROWID;

-- The last HAVE of each entitled device, a row from its first day. Owed is what lies beyond, since when says segments.at: no outbox,
-- not a row a message and device. In a backup, because what was queued is offered again.
CREATE TABLE cursors(
  log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, device INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
  stored INTEGER NOT NULL DEFAULT 0, opened INTEGER NOT NULL DEFAULT 0, read INTEGER NOT NULL DEFAULT 0, -- as in logs
  head_k INTEGER NOT NULL DEFAULT -1, head_digest BLOB, at INTEGER NOT NULL,
  refused INTEGER, -- reason of an answer 2: shown, sending stopped
  PRIMARY KEY(log, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX cursors_device ON cursors(device);

CREATE TABLE gaps( -- "3 messages from NAME missing, asking 2 peers"; after 30 days written off
  log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, from_k INTEGER NOT NULL, to_k INTEGER NOT NULL, since INTEGER NOT NULL,
  asked INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL, PRIMARY KEY(log, from_k)
) STRICT, WITHOUT ROWID;
CREATE INDEX gaps_due ON gaps(next_at);

CREATE TABLE waits( -- segments of which a parent is not here, or itself waits: when it is whole, their sort and view are made anew
  log_id BLOB NOT NULL, parent_k INTEGER NOT NULL, log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, k INTEGER NOT NULL,
  since INTEGER NOT NULL, PRIMARY KEY(log_id, parent_k, log, k)
) STRICT, WITHOUT ROWID;
CREATE INDEX waits_child ON waits(log, k);

CREATE TABLE parked( -- came too early: room tag or log unknown. Never acknowledged, so it is only a saving
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, device INTEGER, tag BLOB, raw BLOB NOT NULL, reason INTEGER NOT NULL,
  at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX parked_tag ON parked(tag);
CREATE INDEX parked_expiry ON parked(expires_at);

------------------------------------------------------------------------------------ mail, work, tokens, not in a backup
CREATE TABLE mail( -- what was put where, until the session acknowledges it; STATUS asks daily
  id INTEGER PRIMARY KEY, slot INTEGER NOT NULL REFERENCES their_slots(id) ON DELETE CASCADE,
  blob_id BLOB NOT NULL CHECK(length(blob_id) = 16), sid BLOB NOT NULL, i INTEGER NOT NULL, -- its bytes: ctl_out
  put_at INTEGER NOT NULL, ask_at INTEGER NOT NULL, custody BLOB, until_at INTEGER, -- the receipt, checked; NULL: none
  UNIQUE(slot, blob_id), FOREIGN KEY(sid, i) REFERENCES ctl_out(sid, i) ON DELETE CASCADE
) STRICT;
CREATE INDEX mail_ask ON mail(ask_at);
CREATE INDEX mail_ctl ON mail(sid, i);
CREATE TABLE mail_segments( -- what lies in it: state "held"
  log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, from_k INTEGER NOT NULL, to_k INTEGER NOT NULL,
  mail INTEGER NOT NULL REFERENCES mail(id) ON DELETE CASCADE, PRIMARY KEY(log, to_k, mail)
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_segments_mail ON mail_segments(mail);

CREATE TABLE key_requests( -- KEYREQ: keys of entries, or the gate secret of a tag. Asked: 0 the author, 1 any holder, 2 by mail
  id INTEGER PRIMARY KEY, log INTEGER REFERENCES logs(id) ON DELETE CASCADE, first INTEGER, n INTEGER, tag BLOB UNIQUE,
  asked INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL, next_at INTEGER NOT NULL,
  UNIQUE(log, first), CHECK((log IS NULL) = (tag IS NOT NULL))
) STRICT;
CREATE INDEX key_requests_due ON key_requests(next_at);

CREATE TABLE work( -- certificates to ask for, files to fetch, our HAVE to mail, bundle and pair secrets to renew
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, subject BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL,
  UNIQUE(kind, subject)
) STRICT;
CREATE INDEX work_due ON work(next_at);

CREATE TABLE tokens( -- of the local API
  hash BLOB PRIMARY KEY, scope INTEGER NOT NULL, room BLOB, made_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------------------------------ key state, all SECRET
CREATE TABLE sessions( -- pairwise: send on the highest rank, receive on all
  sid BLOB PRIMARY KEY CHECK(length(sid) = 16), device INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
  rank BLOB NOT NULL CHECK(length(rank) = 36), -- inc of the lower device 8, of the higher 8, attempt 4, NOT sid 16: compared as bytes
  state BLOB NOT NULL, -- dir, cs ns, cr nr, P, own (or its prekey's digest), top, used
  answered INTEGER NOT NULL DEFAULT 0, -- a message of it was opened: the INIT is not sent again
  failed INTEGER NOT NULL DEFAULT 0, -- copies of message nr over the peer's link that did not open: three, then RESET
  close_i INTEGER, dies_at INTEGER, -- CLOSE came: dies when nr gets there, or then
  made_at INTEGER NOT NULL, UNIQUE(device, rank)
) STRICT;
CREATE TABLE ctl_out( -- until acknowledged; made once, sent as often as need be. i = -1: the INIT
  sid BLOB NOT NULL REFERENCES sessions(sid) ON DELETE CASCADE, i INTEGER NOT NULL, bytes BLOB NOT NULL,
  at INTEGER NOT NULL, next_at INTEGER NOT NULL, PRIMARY KEY(sid, i)
) STRICT;
CREATE INDEX ctl_out_due ON ctl_out(next_at);
CREATE TABLE ctl_parked( -- after a gap: 256 messages, 1 MiB a session
  sid BLOB NOT NULL REFERENCES sessions(sid) ON DELETE CASCADE, i INTEGER NOT NULL, bytes BLOB NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(sid, i)
) STRICT;
CREATE TABLE ctl_seen( -- the last 256 opened: other bytes for an i are an alarm
  sid BLOB NOT NULL REFERENCES sessions(sid) ON DELETE CASCADE, i INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY(sid, i)
) STRICT, WITHOUT ROWID;
CREATE TABLE resets( -- once in 10 min, doubling to a day; counted and shown
  device INTEGER PRIMARY KEY REFERENCES devices(id) ON DELETE CASCADE, attempt INTEGER NOT NULL, -- highest known
  n INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL
) STRICT;

-- Sender chains, ours and others'. A row goes when the next generation began and all of this one is opened, or after the key life.
CREATE TABLE chains(
  log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, gen INTEGER NOT NULL, ck BLOB NOT NULL CHECK(length(ck) = 32),
  next INTEGER NOT NULL, heads BLOB, -- ck is ck_next; membership heads
  given INTEGER NOT NULL DEFAULT 0, given_digest BLOB, -- others': index and SHA-256 of ck as it came: another one is an alarm
  began_at INTEGER, echo INTEGER NOT NULL DEFAULT 0, -- ours: its first entry; 1 made only because the other had made one
  made_at INTEGER NOT NULL, replaced_at INTEGER, PRIMARY KEY(log, gen)
) STRICT, WITHOUT ROWID;
CREATE TABLE chain_sent( -- who has been given our chain, from which index
  log INTEGER NOT NULL, gen INTEGER NOT NULL, device INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE, i INTEGER NOT NULL,
  PRIMARY KEY(log, gen, device), FOREIGN KEY(log, gen) REFERENCES chains(log, gen) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE gap_keys( -- what a chain went over: at most 256 a generation, while the gap is open
  log INTEGER NOT NULL, gen INTEGER NOT NULL, i INTEGER NOT NULL, mk BLOB NOT NULL CHECK(length(mk) = 32),
  PRIMARY KEY(log, gen, i), FOREIGN KEY(log, gen) REFERENCES chains(log, gen) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE early_keys( -- KEYS that came before their entries: at most 2048 a log
  log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, idx INTEGER NOT NULL, prk BLOB NOT NULL CHECK(length(prk) = 32),
  PRIMARY KEY(log, idx)
) STRICT, WITHOUT ROWID;

-- Ours, one a week. Key life: goes 45 days after it was replaced, but not before each of our mailboxes that spoke in the last 30 days
-- of our running was emptied after those 45 days. Chains, gates, sessions alike.
--   DELETE FROM prekeys WHERE replaced_at <= ?now - 45 d AND NOT EXISTS(SELECT 1 FROM helpers WHERE account = 1 AND role = 3
--     AND heard > ?ran - 30 d AND coalesce(emptied_at, 0) < replaced_at + 45 d)
CREATE TABLE prekeys(
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE CHECK(length(digest) = 32), -- of the bundle: what an INIT names
  seed BLOB NOT NULL CHECK(length(seed) = 32), raw BLOB NOT NULL, made_at INTEGER NOT NULL, replaced_at INTEGER
) STRICT;
CREATE TABLE init_seen( -- INITs to it, while the private half lives
  prekey INTEGER NOT NULL REFERENCES prekeys(id) ON DELETE CASCADE, digest BLOB NOT NULL, PRIMARY KEY(prekey, digest)
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------------------------------- verification, KEEP
CREATE TABLE targets( -- the one header of a log that is being collected, ours or of an author who vanished; fixed until certified
  log INTEGER PRIMARY KEY REFERENCES logs(id) ON DELETE CASCADE, k INTEGER NOT NULL, since INTEGER NOT NULL, next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX targets_due ON targets(next_at);
CREATE TABLE cosigs( -- on the target, and the last of each seat: SUBMIT shows it to its verifier
  log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, seat INTEGER NOT NULL, k INTEGER NOT NULL, raw BLOB NOT NULL,
  PRIMARY KEY(log, seat, k)
) STRICT;
CREATE TABLE certificates( -- 14 to 34 KB raw; the summary stays, raw goes but for the newest and those with keep
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE CHECK(length(digest) = 32), -- what deps name
  log INTEGER NOT NULL REFERENCES logs(id) ON DELETE CASCADE, k INTEGER NOT NULL, seats INTEGER NOT NULL, -- a bit each
  not_after INTEGER NOT NULL, -- (s+1)-th smallest time: what it covers was signed by then
  since INTEGER NOT NULL, -- (s+1)-th largest: what names it in deps was signed no earlier
  raw BLOB, keep INTEGER NOT NULL DEFAULT 0 -- 1 the earliest that covers something pinned or exported, or named by such
) STRICT;
CREATE INDEX certificates_cover ON certificates(log, k); -- the earliest that covers a segment, the newest to serve
CREATE TABLE evidence(
  id BLOB PRIMARY KEY CHECK(length(id) = 16), kind INTEGER NOT NULL, -- 1 fork, 2 verifier, 3 conflict
  room INTEGER REFERENCES rooms(id) ON DELETE SET NULL, accused BLOB NOT NULL, raw BLOB NOT NULL CHECK(length(raw) <= 65536),
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_room ON evidence(room); -- ids in SYNC
CREATE INDEX evidence_accused ON evidence(accused);

------------------------------------------------------------------------------------------------------------- files, KEEP
CREATE TABLE blobs( -- ciphertext on disk under HMAC(name key, cid); without this row nobody can read it
  id INTEGER PRIMARY KEY, cid BLOB NOT NULL UNIQUE CHECK(length(cid) = 32), size INTEGER NOT NULL, key BLOB NOT NULL,
  chunk INTEGER NOT NULL DEFAULT 65536, have BLOB, state INTEGER NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE attachments(
  message INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE, ord INTEGER NOT NULL,
  blob INTEGER NOT NULL REFERENCES blobs(id), name TEXT NOT NULL, mime TEXT NOT NULL, thumb BLOB, PRIMARY KEY(message, ord)
) STRICT;
CREATE INDEX attachments_blob ON attachments(blob);

-------------------------------------------------------------------------------------------------------- audit, counts, KEEP
CREATE TABLE audit_log( -- security events, not messages
  n INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, subject BLOB, detail TEXT, mac BLOB NOT NULL CHECK(length(mac) = 32)
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TABLE refused( -- nothing is dropped in silence
  cause TEXT PRIMARY KEY, n INTEGER NOT NULL, last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------------------- search: rebuilt, not copied
CREATE VIRTUAL TABLE messages_fts USING fts5(body, content='messages', content_rowid='id', tokenize='unicode61 remove_diacritics 2');
INSERT INTO messages_fts(messages_fts, rank) VALUES('secure-delete', 1);
-- Indexing inside the receiving transaction costs two thirds of it in a burst: rows queue here, and Tx.index takes them, 3000 at
-- a time, when idle for 200 ms, before a search and before the FTS 'integrity-check'.
CREATE TABLE unindexed(id INTEGER PRIMARY KEY) STRICT;
CREATE TRIGGER messages_ai AFTER INSERT ON messages WHEN new.body IS NOT NULL BEGIN
  INSERT INTO unindexed VALUES(new.id); END;
CREATE TRIGGER messages_ad AFTER DELETE ON messages WHEN old.body IS NOT NULL BEGIN
  INSERT INTO messages_fts(messages_fts, rowid, body) SELECT 'delete', old.id, old.body
    WHERE NOT EXISTS(SELECT 1 FROM unindexed WHERE id = old.id);
  DELETE FROM unindexed WHERE id = old.id; END;
CREATE TRIGGER messages_au AFTER UPDATE OF body ON messages BEGIN
  INSERT INTO messages_fts(messages_fts, rowid, body) SELECT 'delete', old.id, old.body
    WHERE old.body IS NOT NULL AND NOT EXISTS(SELECT 1 FROM unindexed WHERE id = old.id);
  INSERT OR IGNORE INTO unindexed SELECT new.id WHERE new.body IS NOT NULL;
  DELETE FROM unindexed WHERE id = new.id AND new.body IS NULL; END;
