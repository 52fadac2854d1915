package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// AuditRolled is the kind of the audit row that the store itself writes: the database was found to have gone back in time.
// All other kinds are the caller's and begin at 2.
const AuditRolled = 1

// auditStep is how many rows are verified in one snapshot.
const auditStep = 500

// AuditRow is a row of the audit log: a security event, not a message.
type AuditRow struct {
	N       uint64 // counts from 1, without a gap
	Millis  int64  // Unix milliseconds
	Kind    int
	Subject []byte // nil: none
	Detail  string

	mac []byte
}

// ErrAudit says that the audit log is not as it was written: a row was changed, taken out or put in, or its end is gone.
var ErrAudit = errors.New("the audit log was changed")

// Audit appends a row. Each is bound to all before it by a MAC under a key of the vault, and the last to the anchor.
func (t *Tx) Audit(kind int, subject []byte, detail string) error {
	row := AuditRow{t.audit.n + 1, t.s.cfg.Now().UnixMilli(), kind, subject, detail, nil}
	next := t.s.auditHead(t.audit, row)
	err := t.exec("INSERT INTO audit_log(n, at, kind, subject, detail, mac) VALUES(?, ?, ?, ?, ?, ?)",
		row.N, row.Millis, row.Kind, row.Subject, row.Detail, next.mac[:])
	if err == nil {
		t.audit = next
	}
	return err
}

// Audit returns the newest rows, newest first.
func (r *Reader) Audit(limit int) (rows []AuditRow, err error) {
	err = r.each("SELECT n, at, kind, subject, detail, mac FROM audit_log ORDER BY n DESC LIMIT ?", func(row Row) error {
		rows = append(rows, auditRow(row))
		return nil
	}, limit)
	return rows, err
}

func auditRow(r Row) AuditRow {
	return AuditRow{r.Uint(0), r.Int(1), int(r.Int(2)), r.Bytes(3), r.Text(4), r.Bytes(5)}
}

// auditHead is the head after row follows h.
//
//	HMAC(audit key, MAC before 32 | n 8 | at 8 | kind 8 | subject: 0, or 1 and u32 length and bytes | u32 length detail)
func (s *Store) auditHead(h head, row AuditRow) head {
	var b cryptobyte.Builder
	b.AddBytes(h.mac[:])
	b.AddUint64(row.N)
	b.AddUint64(uint64(row.Millis))
	b.AddUint64(uint64(row.Kind))
	if row.Subject == nil {
		b.AddUint8(0)
	} else {
		b.AddUint8(1)
		b.AddUint32(uint32(len(row.Subject)))
		b.AddBytes(row.Subject)
	}
	b.AddUint32(uint32(len(row.Detail)))
	b.AddBytes([]byte(row.Detail))
	m := hmac.New(sha256.New, s.keys.audit[:])
	m.Write(b.BytesOrPanic())
	next := head{n: row.N}
	m.Sum(next.mac[:0])
	return next
}

// VerifyAudit reads the whole audit log and returns ErrAudit when it is not what was written, up to what the anchor knew
// when the store was opened.
func (s *Store) VerifyAudit(ctx context.Context) error {
	var h head
	seen := s.anchored.n == 0
	for more := true; more; {
		more = false
		err := s.View(ctx, func(r *Reader) error {
			return r.each("SELECT n, at, kind, subject, detail, mac FROM audit_log WHERE n > ? ORDER BY n LIMIT ?", func(row Row) error {
				more = true
				a := auditRow(row)
				next := s.auditHead(h, a)
				if a.N != h.n+1 || !hmac.Equal(next.mac[:], a.mac) {
					return fmt.Errorf("row %d: %w", a.N, ErrAudit)
				}
				h, seen = next, seen || next == s.anchored
				return nil
			}, h.n, auditStep)
		})
		if err != nil {
			return err
		}
	}
	if !seen {
		return fmt.Errorf("row %d is not there: %w", s.anchored.n, ErrAudit)
	}
	return nil
}
