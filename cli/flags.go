package cli

import (
	"errors"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// common is what every command takes.
type common struct {
	profile      string
	json         bool
	passwordFile string
	logLevel     string
	logFormat    string
}

func (c *console) commonFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&c.profile, "profile", "default", "which profile, a `NAME`; a path when it holds a separator")
	f.BoolVar(&c.json, "json", false, "one JSON object a line, errors too")
	f.StringVar(&c.passwordFile, "password-file", "", "read the password from the first line of a `FILE` that only you can read")
	f.StringVar(&c.logLevel, "log-level", "info", "`LEVEL` is debug, info, warn or error")
	f.StringVar(&c.logFormat, "log-format", "text", "`FORMAT` is text or json")
}

// period is a time span as a flag: what Go calls a duration, or whole days like 7d.
type period time.Duration

// Set reads one.
func (p *period) Set(s string) error {
	if days, err := strconv.Atoi(strings.TrimSuffix(s, "d")); err == nil && strings.HasSuffix(s, "d") && days >= 0 && days <= maxDays {
		*p = period(days) * period(24*time.Hour)
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return errors.New("a time looks like 30s, 5m, 24h or 7d")
	}
	*p = period(d)
	return nil
}

// maxDays is what a period can hold.
const maxDays = int(math.MaxInt64 / (24 * time.Hour))

// String is the shortest that Set reads the same.
func (p *period) String() string {
	s := time.Duration(*p).String()
	s = strings.TrimSuffix(s, "m0s") + map[bool]string{true: "m"}[strings.HasSuffix(s, "m0s")]
	return strings.TrimSuffix(s, "h0m") + map[bool]string{true: "h"}[strings.HasSuffix(s, "h0m")]
}

// Type is for the help.
func (*period) Type() string { return "time" }

// check refuses values that mean nothing.
func (c *console) check() error {
	if _, err := parseLevel(c.logLevel); err != nil {
		return err
	}
	if c.logFormat != "text" && c.logFormat != "json" {
		return usagef("--log-format is text or json, not %q", c.logFormat)
	}
	return nil
}

func parseLevel(s string) (slog.Level, error) {
	switch s {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, usagef("--log-level is debug, info, warn or error, not %q", s)
}

// variable is the name of a flag in the environment.
func variable(flag string) string {
	return "CRYPTEXQ_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// flags are all that any command has; each is also a variable. Which have no variable, a test says.
var flags = []string{
	"profile", "json", "password-file", "log-level", "log-format",
	"name", "kit", "kdf",
	"new-password-file", "listen", "nearby", "no-mdns", "read-receipts",
	"expires", "text", "yes", "lines", "wait", "timeout", "limit", "before", "follow", "seed", "seeds",
}

// fromEnvironment sets each flag of a command that was not given from its variable. An empty variable counts as none. A
// flag that repeats takes several values between commas.
func (c *console) fromEnvironment(cmd *cobra.Command) error {
	for _, name := range slices.Concat(flags, laterServices) {
		f := cmd.Flags().Lookup(name)
		if f == nil || f.Changed {
			continue
		}
		value, _ := c.look(variable(name))
		if value == "" {
			continue
		}
		values := []string{value}
		if f.Value.Type() == "stringArray" {
			values = strings.Split(value, ",")
		}
		for _, v := range values {
			if err := cmd.Flags().Set(name, strings.TrimSpace(v)); err != nil {
				return usagef("%s=%q: %v", variable(name), value, err)
			}
		}
	}
	return nil
}

// asksForJSON finds out how to complain when the flags could not be read.
func asksForJSON(args []string, look func(string) (string, bool)) bool {
	for _, a := range args {
		switch {
		case a == "--json":
			return true
		case strings.HasPrefix(a, "--json="):
			on, _ := strconv.ParseBool(strings.TrimPrefix(a, "--json="))
			return on
		}
	}
	value, _ := look(variable("json"))
	on, _ := strconv.ParseBool(value)
	return on
}
