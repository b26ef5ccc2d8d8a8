// The peer of the log bench: Tessera's POSIX backend (tile log of the Rekor kind), given the same number of entries of the same
// size on the same disk. One JSON object on stdout: appends a second with each entry waited for before the next, with sixteen
// in flight, and in bulk, and the seconds of its own check (fsck) of the whole log.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/fsck"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type log struct {
	appender *tessera.Appender
	reader   tessera.LogReader
	stop     func(context.Context) error
	verifier note.Verifier
}

func open(ctx context.Context, dir string, batch uint, age time.Duration) log {
	secret, public, err := note.GenerateKey(rand.Reader, "slotwright.test/peer")
	fatal(err)
	signer, err := note.NewSigner(secret)
	fatal(err)
	verifier, err := note.NewVerifier(public)
	fatal(err)
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	fatal(err)
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(batch, age).WithCheckpointInterval(time.Second).WithPushback(1 << 20)
	appender, stop, reader, err := tessera.NewAppender(ctx, driver, options)
	fatal(err)
	return log{appender, reader, stop, verifier}
}

// add gives appends a second, `together` at a time, each lot waited for before the next.
func add(ctx context.Context, l log, count, together, size int) float64 {
	began := time.Now()
	for done := 0; done < count; done += together {
		futures := make([]tessera.IndexFuture, together)
		for i := range futures {
			data := make([]byte, size)
			copy(data, fmt.Sprintf("%d %d", done+i, began.UnixNano()))
			futures[i] = l.appender.Add(ctx, tessera.NewEntry(data))
		}
		for _, wait := range futures {
			_, err := wait()
			fatal(err)
		}
	}
	return float64(count) / time.Since(began).Seconds()
}

func leaves(bundle []byte) ([][]byte, error) {
	entries := api.EntryBundle{}
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(entries.Entries))
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

func main() {
	dir := flag.String("dir", "", "an empty folder")
	entries := flag.Int("entries", 100_000, "entries of the log that is checked")
	size := flag.Int("size", 350, "bytes an entry")
	flag.Parse()
	ctx := context.Background()
	one := open(ctx, filepath.Join(*dir, "one"), 1, time.Millisecond)
	singly := add(ctx, one, 500, 1, *size)
	sixteen := open(ctx, filepath.Join(*dir, "sixteen"), 16, 50*time.Millisecond)
	together := add(ctx, sixteen, 1600, 16, *size)
	whole := open(ctx, filepath.Join(*dir, "whole"), 1000, 50*time.Millisecond)
	bulk := add(ctx, whole, *entries, 1000, *size)
	for {
		checkpoint, err := whole.reader.ReadCheckpoint(ctx)
		if err == nil {
			if opened, err := note.Open(checkpoint, note.VerifierList(whole.verifier)); err == nil {
				var covered int
				if _, err := fmt.Sscanf(opened.Text, "slotwright.test/peer\n%d\n", &covered); err == nil && covered >= *entries {
					break
				}
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	began := time.Now()
	fatal(fsck.New("slotwright.test/peer", whole.verifier, whole.reader, leaves, fsck.Opts{N: 2}).Check(ctx))
	check := time.Since(began).Seconds()
	fatal(json.NewEncoder(os.Stdout).Encode(map[string]float64{"singlyPerSecond": singly, "sixteenPerSecond": together, "bulkPerSecond": bulk, "entries": float64(*entries), "verifySeconds": check}))
}
