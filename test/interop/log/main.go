// A second opinion on the log by an implementation that nobody here wrote: golang.org/x/mod/sumdb/tlog and note.
//
//	go run . make          writes tree hashes, proofs and a signed checkpoint that Go made, as JSON
//	go run . check FILE    verifies what Slotwright made (entries, root, proofs, checkpoint); exit 1 on the first that fails
package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type inclusion struct {
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Proof []string `json:"proof"`
}

type consistency struct {
	Older int64    `json:"older"`
	Newer int64    `json:"newer"`
	Proof []string `json:"proof"`
}

type answers struct {
	Entries     []string      `json:"entries"`
	Roots       []string      `json:"roots"`
	Inclusion   []inclusion   `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
	Key         string        `json:"key"`
	Note        string        `json:"note"`
}

type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = s[index]
	}
	return out, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func hexes(hashes []tlog.Hash) []string {
	out := []string{}
	for _, h := range hashes {
		out = append(out, hex.EncodeToString(h[:]))
	}
	return out
}

func unhex(texts []string) []tlog.Hash {
	out := []tlog.Hash{}
	for _, text := range texts {
		out = append(out, unhexOne(text))
	}
	return out
}

func unhexOne(text string) (h tlog.Hash) {
	copy(h[:], must(hex.DecodeString(text)))
	return h
}

func grow(entries []string) (storage, []tlog.Hash) {
	var stored storage
	roots := []tlog.Hash{must(tlog.TreeHash(0, stored))}
	for i, entry := range entries {
		stored = append(stored, must(tlog.StoredHashes(int64(i), []byte(entry), stored))...)
		roots = append(roots, must(tlog.TreeHash(int64(i+1), stored)))
	}
	return stored, roots
}

func makeVectors() {
	var out answers
	for i := 0; i < 300; i++ {
		out.Entries = append(out.Entries, fmt.Sprintf(`{"entry":%d,"text":"%s"}`, i, strings.Repeat("ü", i%7)))
	}
	stored, roots := grow(out.Entries)
	out.Roots = hexes(roots)
	for _, at := range [][2]int64{{0, 1}, {0, 2}, {1, 3}, {6, 7}, {4, 9}, {63, 64}, {64, 65}, {100, 200}, {255, 256}, {256, 257}, {0, 300}, {255, 300}, {299, 300}} {
		out.Inclusion = append(out.Inclusion, inclusion{at[0], at[1], hexes(must(tlog.ProveRecord(at[1], at[0], stored)))})
	}
	for _, at := range [][2]int64{{1, 2}, {2, 3}, {3, 7}, {4, 8}, {7, 8}, {8, 9}, {64, 65}, {65, 128}, {128, 256}, {200, 300}, {256, 300}, {257, 300}, {299, 300}} {
		out.Consistency = append(out.Consistency, consistency{at[0], at[1], hexes(must(tlog.ProveTree(at[1], at[0], stored)))})
	}
	private, public, err := note.GenerateKey(deterministic{}, "slotwright.test/go")
	must(public, err)
	out.Key = public
	root := roots[300]
	text := fmt.Sprintf("slotwright.test/go\n300\n%s\n", base64.StdEncoding.EncodeToString(root[:]))
	out.Note = string(must(note.Sign(&note.Note{Text: text}, must(note.NewSigner(private)))))
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	must(0, encoder.Encode(out))
}

// The same key every time, so that the vectors do not change when made again.
type deterministic struct{}

func (deterministic) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i * 7)
	}
	return len(p), nil
}

func check(path string) {
	var in answers
	must(0, json.Unmarshal(must(os.ReadFile(path)), &in))
	_, roots := grow(in.Entries)
	for size, root := range in.Roots {
		if roots[size] != unhexOne(root) {
			must(0, fmt.Errorf("root of %d entries differs", size))
		}
	}
	for _, p := range in.Inclusion {
		leaf := tlog.RecordHash([]byte(in.Entries[p.Index]))
		must(0, tlog.CheckRecord(unhex(p.Proof), p.Size, roots[p.Size], p.Index, leaf))
	}
	for _, p := range in.Consistency {
		must(0, tlog.CheckTree(unhex(p.Proof), p.Newer, roots[p.Newer], p.Older, roots[p.Older]))
	}
	opened := must(note.Open([]byte(in.Note), note.VerifierList(must(note.NewVerifier(in.Key)))))
	lines := strings.Split(opened.Text, "\n")
	last := roots[len(in.Entries)]
	if lines[1] != fmt.Sprint(len(in.Entries)) || lines[2] != base64.StdEncoding.EncodeToString(last[:]) {
		must(0, fmt.Errorf("the checkpoint is not over these entries"))
	}
	fmt.Printf("%d entries, %d roots, %d inclusion and %d consistency proofs and the checkpoint hold\n", len(in.Entries), len(in.Roots), len(in.Inclusion), len(in.Consistency))
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "make":
		makeVectors()
	case len(os.Args) == 3 && os.Args[1] == "check":
		check(os.Args[2])
	default:
		fmt.Fprintln(os.Stderr, "make, or check FILE")
		os.Exit(2)
	}
}
