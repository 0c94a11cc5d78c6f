package logic

import (
	"fmt"
	"strconv"
	"strings"
)

// expand unrolls loop and foreach, which may stand in each other, into the lines they stand for.
func expand(lines []string) ([]string, error) {
	var out []string
	for i := 0; i < len(lines); i++ {
		words := strings.Fields(lines[i])
		if len(words) == 0 || words[0] != "loop" && words[0] != "foreach" {
			out = append(out, lines[i])
			continue
		}
		end, err := endOf(lines, i)
		if err != nil {
			return nil, err
		}
		values, err := valuesOf(words)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		for _, v := range values {
			var body []string
			for _, line := range lines[i+1 : end] {
				body = append(body, strings.ReplaceAll(line, "${"+words[1]+"}", v))
			}
			body, err := expand(body)
			if err != nil {
				return nil, err
			}
			out = append(append(out, body...), "")
		}
		i = end
	}
	return out, nil
}

// endOf finds the endloop of the loop that begins at line i.
func endOf(lines []string, i int) (int, error) {
	depth := 0
	for k := i; k < len(lines); k++ {
		words := strings.Fields(lines[k])
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "loop", "foreach":
			depth++
		case "endloop":
			if depth--; depth == 0 {
				return k, nil
			}
		}
	}
	return 0, fmt.Errorf("line %d: no endloop", i+1)
}

// valuesOf reads "loop i FROM TO" (TO is not in it) or "foreach x VALUE…".
func valuesOf(words []string) ([]string, error) {
	if len(words) < 3 {
		return nil, fmt.Errorf("%s needs a name and values", words[0])
	}
	if words[0] == "foreach" {
		return words[2:], nil
	}
	if len(words) != 4 {
		return nil, fmt.Errorf("loop needs a name and two numbers")
	}
	from, err := strconv.Atoi(words[2])
	if err != nil {
		return nil, err
	}
	to, err := strconv.Atoi(words[3])
	if err != nil {
		return nil, err
	}
	var values []string
	for ; from < to; from++ {
		values = append(values, strconv.Itoa(from))
	}
	return values, nil
}
