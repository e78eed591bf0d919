package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// How many faults are told; the first is the one to look at.
const toldAtMost = 20

// joined judges many expositions. In front of each stands a line LENGTH<tab>CONTENT TYPE<tab>WHAT, as the property test of the
// repository writes them. The exit status: 1 if one is at fault, 2 if there is none to judge.
func joined(in io.Reader, o options) int {
	r := bufio.NewReader(in)
	count, faults := 0, 0
	for ; ; count++ {
		body, contentType, what, err := record(r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		if err := judge(body, contentType, o, func(entry) error { return nil }); err != nil {
			if faults++; faults <= toldAtMost {
				fmt.Fprintf(os.Stderr, "%s, %s: %v\n%q\n", contentType, what, err, body)
			}
		}
	}
	fmt.Printf("%d judged, %d at fault\n", count, faults)
	if count == 0 {
		return 2
	}
	if faults > 0 {
		return 1
	}
	return 0
}

func record(r *bufio.Reader) (body []byte, contentType, what string, err error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, "", "", err
	}
	head := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
	length, err := strconv.Atoi(head[0])
	if err != nil || len(head) != 3 || length < 0 || length > bodyLimit {
		return nil, "", "", fmt.Errorf("no head of an exposition: %q", line)
	}
	body = make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, "", "", fmt.Errorf("an exposition that ends too early: %w", err)
	}
	return body, head[1], head[2], nil
}
