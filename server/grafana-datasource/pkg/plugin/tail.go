package plugin

import (
	"context"
	"errors"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"henge-datasource/pkg/henge"
)

const (
	// How often newer rows are asked for while somebody looks.
	tailInterval = time.Second
	// The most rows of one step; a person cannot read more in a second.
	tailRowsMax = 1000
	// After an error the next step waits this long.
	tailRetryInterval = 5 * time.Second
)

var errTailShape = &badQuery{errors.New("live rows are shown one below the other: take logs, or the format table")}

// announceTail names the channel on which rows come that are newer than after, in milliseconds since 1970.
//
// A stream runs with the key of the data source and is shared by all who look. With the token of a person it would show
// the rows of the first to everybody, so there is none then.
func (d *Datasource) announceTail(uid string, panel panelQuery, after *int64, frames data.Frames) error {
	if d.settings.Authentication == authenticationForward {
		return &badQuery{errors.New("live rows need a key of the data source: with forwarded tokens people would share a stream")}
	}
	if len(frames) != 1 || frames[0].Meta.Type == data.FrameTypeTimeSeriesMulti {
		return errTailShape
	}
	path, err := d.tails.remember(henge.TailRequest{
		Query: panel.Query, Variables: panel.Variables, Filters: panel.Filters, After: after, Limit: tailRowsMax,
	})
	frames[0].Meta.Channel = "ds/" + uid + "/" + path
	return err
}

// newest is the largest time of the rows in milliseconds since 1970; nil without rows.
func newest(answer *henge.Answer) *int64 {
	clock := answer.Field(answer.Meta.TimeColumn)
	if clock == nil {
		return nil
	}
	var latest *int64
	for row := range clock.Len() {
		value, present := clock.ConcreteAt(row)
		moment, isTime := value.(time.Time)
		if !present || !isTime {
			continue
		}
		if millis := moment.UnixMilli(); latest == nil || millis > *latest {
			latest = &millis
		}
	}
	return latest
}

// SubscribeStream admits who subscribes to a channel that an answer named.
func (d *Datasource) SubscribeStream(_ context.Context, request *backend.SubscribeStreamRequest) (*backend.SubscribeStreamResponse, error) {
	status := backend.SubscribeStreamStatusOK
	if _, known := d.tails.find(request.Path); !known {
		status = backend.SubscribeStreamStatusNotFound
	}
	return &backend.SubscribeStreamResponse{Status: status}, nil
}

// PublishStream lets nobody publish.
func (d *Datasource) PublishStream(context.Context, *backend.PublishStreamRequest) (*backend.PublishStreamResponse, error) {
	return &backend.PublishStreamResponse{Status: backend.PublishStreamStatusPermissionDenied}, nil
}

// RunStream sends rows as they come, until nobody listens any more.
func (d *Datasource) RunStream(ctx context.Context, request *backend.RunStreamRequest, sender *backend.StreamSender) error {
	tail, known := d.tails.find(request.Path)
	if !known {
		return &badQuery{errors.New("the channel is not known any more: run the query again")}
	}
	headers, err := d.settings.headersFor(request.GetHTTPHeaders(), nil)
	if err != nil {
		return err
	}
	for wait := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = d.tailInterval
		answer, err := d.client.Tail(ctx, headers, tail)
		if err == nil {
			err = sendRows(answer, sender)
		}
		if problem, ok := errors.AsType[*henge.Problem](err); ok && problem.IsFinal() {
			return backend.DownstreamError(err)
		}
		if err != nil {
			backend.Logger.FromContext(ctx).Debug("a step of a tail failed", "error", err)
			wait = tailRetryInterval
			continue
		}
		if answer.Meta.Next != nil {
			tail.After = answer.Meta.Next
		}
	}
}

func sendRows(answer *henge.Answer, sender *backend.StreamSender) error {
	if answer.Rows() == 0 {
		return nil
	}
	frames, err := framesOf(answer, "")
	if err != nil {
		return err
	}
	if len(frames) != 1 {
		return errTailShape
	}
	return sender.SendFrame(frames[0], data.IncludeAll)
}
