package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"

	"henge-datasource/pkg/henge"
)

// How many queries are remembered for streams; the oldest goes first.
const tailsMax = 1000

// tailRegistry remembers what the channels stand for: Grafana hands a stream its path only.
type tailRegistry struct {
	mutex    sync.Mutex
	requests map[string]henge.TailRequest
	order    []string
}

// remember returns the path of the channel of these rows. Queries that are equal share it.
func (r *tailRegistry) remember(request henge.TailRequest) (string, error) {
	identity := request
	identity.After = nil
	text, err := json.Marshal(identity)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	path := "tail/" + hex.EncodeToString(sum[:16])
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if _, known := r.requests[path]; !known {
		if len(r.order) == tailsMax {
			delete(r.requests, r.order[0])
			r.order = r.order[1:]
		}
		r.order = append(r.order, path)
	}
	r.requests[path] = request
	return path, nil
}

func (r *tailRegistry) find(path string) (henge.TailRequest, bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	request, known := r.requests[path]
	return request, known
}
