-- The second step: what became visible when, and sessions that were closed before they came.

-- A message that was not shown as soon as its entry came, because its key came late or it was held back, has a number of its own
-- from the same sequence as the rows of entries. NULL: it is its row.
ALTER TABLE messages ADD COLUMN seen INTEGER;
CREATE INDEX messages_seen ON messages(room, seen) WHERE seen IS NOT NULL;

CREATE TABLE closed( -- sessions that a device closed of which the INIT has not come: it is not taken any more. 64 a device, SECRET
  device INTEGER NOT NULL REFERENCES devices(id) ON DELETE CASCADE, sid BLOB NOT NULL CHECK(length(sid) = 16), at INTEGER NOT NULL,
  PRIMARY KEY(device, sid)
) STRICT, WITHOUT ROWID;
