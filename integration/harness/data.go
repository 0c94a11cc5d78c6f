package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// TPCH gives a folder with the eight TPC-H tables as Parquet at a scale factor, each a sub-folder of so many parts. It is
// made on first use by tpchgen-cli under .tmp/data, in a folder of another name that is renamed when it is whole.
func TPCH(ctx context.Context, scale float64, parts int) (string, error) {
	name := fmt.Sprintf("tpch-sf%s-%d", strconv.FormatFloat(scale, 'g', -1, 64), parts)
	dir, err := Path(".tmp", "data", name)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	generator, err := Generator()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	making, err := os.MkdirTemp(filepath.Dir(dir), name+".making-")
	if err != nil {
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	defer os.RemoveAll(making)
	command := exec.CommandContext(ctx, generator, "parquet", "--scale-factor", strconv.FormatFloat(scale, 'f', -1, 64),
		"--parts", strconv.Itoa(parts), "--output-dir", making)
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make %s: %w\n%s", name, err, output)
	}
	if err := os.Chmod(making, 0o755); err != nil {
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	if err := os.Rename(making, dir); err != nil {
		if _, again := os.Stat(dir); again == nil {
			return dir, nil // another test process was faster: its folder is as good
		}
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	return dir, nil
}

// Tables gives, for a folder of table folders, the glob of each table's Parquet files: what the oracle reads.
func Tables(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	tables := map[string]string{}
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
			tables[name] = filepath.Join(path, "*.parquet")
		case filepath.Ext(name) == ".parquet":
			tables[name[:len(name)-len(".parquet")]] = path
		}
	}
	return tables, nil
}
