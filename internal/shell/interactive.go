package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/peterh/liner"
	"github.com/schollz/progressbar/v3"
)

// progressAfter keeps the bar from flashing for quick statements.
const progressAfter = 500 * time.Millisecond

const help = `Statements end with a semicolon. Besides SQL:
  .tables           the tables
  .format NAME      output format: table, csv, json
  .timing on|off    print how long each statement took
  .help  .quit
Ctrl-C cancels the running query.`

var keywords = strings.Fields(`SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET JOIN LEFT RIGHT FULL INNER OUTER CROSS ON USING
UNION ALL INTERSECT EXCEPT DISTINCT WITH RECURSIVE AS AND OR NOT IN EXISTS BETWEEN LIKE ILIKE IS NULL CASE WHEN THEN ELSE END CAST
VALUES EXPLAIN ANALYZE DESCRIBE SHOW TABLES SET RESET KILL count sum avg min max coalesce`)

// A Session is one interactive sitting at a terminal.
type Session struct {
	client *Client
	line   *liner.State
	out    io.Writer
	format string
	timing bool
	words  []string
}

// Interactive reads statements from the terminal until end of input. historyFile may be empty.
func Interactive(ctx context.Context, c *Client, out io.Writer, historyFile string) error {
	s := &Session{client: c, line: liner.NewLiner(), out: out, format: "table", timing: true, words: keywords}
	defer s.line.Close()
	s.line.SetCtrlCAborts(true)
	s.line.SetTabCompletionStyle(liner.TabPrints)
	s.line.SetWordCompleter(s.complete)
	if f, err := os.Open(historyFile); err == nil {
		_, _ = s.line.ReadHistory(f) // a damaged history is no reason not to start
		f.Close()
	}
	s.learnNames(ctx)
	fmt.Fprintln(out, "arbalest shell; .help for help, .quit to leave")
	err := s.loop(ctx)
	if f, createErr := os.OpenFile(historyFile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); createErr == nil {
		_, _ = s.line.WriteHistory(f)
		f.Close()
	}
	return err
}

// HistoryFile is where the shell keeps what was typed.
func HistoryFile() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".arbalest_history")
}

func (s *Session) loop(ctx context.Context) error {
	var pending strings.Builder
	for {
		prompt := "arbalest> "
		if pending.Len() > 0 {
			prompt = "     ...> "
		}
		text, err := s.line.Prompt(prompt)
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			pending.Reset()
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.out)
			return nil
		case err != nil:
			return err
		}
		if pending.Len() == 0 && strings.HasPrefix(strings.TrimSpace(text), ".") {
			s.line.AppendHistory(text)
			if s.command(ctx, strings.Fields(text)) {
				return nil
			}
			continue
		}
		pending.WriteString(text)
		statement := strings.TrimSpace(pending.String())
		if statement == "" || !strings.HasSuffix(statement, ";") {
			pending.WriteByte('\n')
			if statement == "" {
				pending.Reset()
			}
			continue
		}
		pending.Reset()
		s.line.AppendHistory(strings.ReplaceAll(statement, "\n", " "))
		s.execute(ctx, statement)
	}
}

// command runs a dot command and reports whether to leave.
func (s *Session) command(ctx context.Context, words []string) (leave bool) {
	argument := ""
	if len(words) > 1 {
		argument = words[1]
	}
	switch words[0] {
	case ".quit", ".exit":
		return true
	case ".help":
		fmt.Fprintln(s.out, help)
	case ".tables":
		s.execute(ctx, "SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL")
	case ".format":
		if _, err := NewWriter(argument, io.Discard); err != nil || Binary(argument) {
			fmt.Fprintln(s.out, "allowed here: table, csv, json; for arrow and parquet use arbalest sql -c … --format … -o FILE")
			break
		}
		s.format = argument
	case ".timing":
		s.timing = argument != "off"
	default:
		fmt.Fprintf(s.out, "%s is not known; .help lists the commands\n", words[0])
	}
	return false
}

// execute runs one statement; its faults are printed, the session goes on.
func (s *Session) execute(ctx context.Context, statement string) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	w, err := NewWriter(s.format, s.out)
	if err != nil {
		fmt.Fprintln(s.out, err)
		return
	}
	start := time.Now()
	bar := NewProgress(os.Stderr)
	_, err = s.client.Run(ctx, statement, w, bar.Show)
	bar.Clear()
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(s.out, "cancelled")
	case err != nil:
		fmt.Fprintln(s.out, "error:", Message(err))
	case s.timing:
		fmt.Fprintf(s.out, "%.3f s\n", time.Since(start).Seconds())
	}
}

// learnNames loads table and column names for completion; without them completion knows the keywords only.
func (s *Session) learnNames(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	names := &nameCollector{seen: map[string]bool{}}
	if _, err := s.client.Run(ctx, "SELECT DISTINCT table_name FROM information_schema.columns UNION SELECT DISTINCT column_name FROM information_schema.columns", names, nil); err != nil {
		return
	}
	for n := range names.seen {
		s.words = append(s.words, n)
	}
	sort.Strings(s.words)
}

type nameCollector struct{ seen map[string]bool }

func (n *nameCollector) Schema(*arrow.Schema) error { return nil }
func (n *nameCollector) Finish() error              { return nil }
func (n *nameCollector) Batch(b arrow.RecordBatch) error {
	column, ok := b.Column(0).(*array.String)
	if !ok {
		return fmt.Errorf("names came as %s", b.Column(0).DataType())
	}
	for i := range column.Len() {
		n.seen[strings.Clone(column.Value(i))] = true
	}
	return nil
}

func (s *Session) complete(line string, pos int) (head string, completions []string, tail string) {
	start := strings.LastIndexAny(line[:pos], " \t(,.=<>") + 1
	word := line[start:pos]
	for _, w := range s.words {
		if word != "" && len(w) >= len(word) && strings.EqualFold(w[:len(word)], word) {
			completions = append(completions, w)
		}
	}
	return line[:start], completions, line[pos:]
}

// A Progress draws a bar once a statement has run for a while.
type Progress struct {
	out   io.Writer
	start time.Time
	bar   *progressbar.ProgressBar
}

// NewProgress returns a bar on out, which should be a terminal.
func NewProgress(out io.Writer) *Progress { return &Progress{out: out, start: time.Now()} }

// Show moves the bar to done, 0 … 1.
func (p *Progress) Show(done float64) {
	if p.bar == nil {
		if time.Since(p.start) < progressAfter {
			return
		}
		p.bar = progressbar.NewOptions(100, progressbar.OptionSetWriter(p.out), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(40))
	}
	_ = p.bar.Set(int(done * 100)) // a bar that cannot be drawn is not worth a word
}

// Clear removes the bar.
func (p *Progress) Clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
