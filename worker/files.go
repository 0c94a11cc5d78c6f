package worker

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/arbalest-sql/arbalest/internal/protocol/pb"
	"github.com/arbalest-sql/arbalest/internal/qerr"
)

// checkFiles makes sure that every file of the scans is the version that was planned: another one may have other rows and
// row groups than the splits say. It fails with an error of kind IO that names the first file that is not. Files behind a
// URL are the engine's to check.
func checkFiles(ctx context.Context, scans []*pb.Scan) error {
	checked := map[string]bool{}
	for _, scan := range scans {
		for _, split := range scan.GetSplits() {
			path := split.GetPath()
			if checked[path] || strings.Contains(path, "://") {
				continue
			}
			checked[path] = true
			if err := ctx.Err(); err != nil {
				return endOf(ctx)
			}
			if err := checkFile(path, split); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkFile(path string, split *pb.Split) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return changedFile("file %s has vanished since the query was planned", path)
	case err != nil:
		return qerr.Wrap(qerr.IO, "read "+path, err)
	case info.IsDir():
		return changedFile("file %s has become a directory since the query was planned", path)
	case info.Size() != split.GetSize():
		return changedFile("file %s has changed since the query was planned: it has %d bytes, and had %d", path, info.Size(), split.GetSize())
	case info.ModTime().UnixNano() != split.GetModTimeUnixNs():
		return changedFile("file %s has changed since the query was planned: it was written again", path)
	}
	return nil
}

// changedFile is an error that running the task again elsewhere would not mend: the plan is of another version of the file.
func changedFile(format string, args ...any) error {
	err := qerr.New(qerr.IO, format, args...)
	err.Final = true
	return err
}

// endOf is the error of a context that has ended: its cause if that is classified, else Cancelled or Deadline.
func endOf(ctx context.Context) error {
	cause := context.Cause(ctx)
	var classified *qerr.Error
	if errors.As(cause, &classified) {
		return classified
	}
	return &qerr.Error{Kind: qerr.KindOf(ctx.Err()), Err: cause}
}
