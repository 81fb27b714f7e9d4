package jsbridge

import (
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// startChanges adds the functions for the changes of a database to object. Each
// returns a Promise:
//
//	openFeed(handle, since)    → [feed, after]: since -1: from now on, which is after batch `after`
//	nextChanges(handle, feed)  → bytes as [storage.Feed.Next] has them, about 1 MiB; empty: nothing at present
//	closeFeed(handle, feed)
//	at(handle, seq)            → handle of the state after a batch, to be closed
//
// A feed has one call at a time.
func startChanges(object js.Value) {
	function(object, "openFeed", func(args []js.Value) (any, error) {
		d, err := bridge.database("changes", handleOf(args))
		if err != nil {
			return nil, err
		}
		var feed *storage.Feed
		if since := args[1].Float(); since >= 0 {
			feed = d.session.NewFeed(uint64(since))
		} else {
			feed = d.session.NewLiveFeed()
		}
		if d.feeds == nil {
			d.feeds = map[int]*storage.Feed{}
		}
		d.lastFeed++
		d.feeds[d.lastFeed] = feed
		return []any{d.lastFeed, float64(feed.After())}, nil
	})
	function(object, "nextChanges", func(args []js.Value) (any, error) {
		d, err := bridge.database("changes", handleOf(args))
		if err != nil {
			return nil, err
		}
		feed := d.feeds[args[1].Int()]
		if feed == nil {
			return nil, engine.Fail(engine.CodeClosed, "changes", "", "the feed has been closed")
		}
		changes, err := feed.Next(nil, pieceBytes)
		if err != nil {
			return nil, err
		}
		return bytesToJS(changes), nil
	})
	function(object, "closeFeed", func(args []js.Value) (any, error) {
		d, err := bridge.database("changes", handleOf(args))
		if err != nil {
			return nil, err
		}
		if feed := d.feeds[args[1].Int()]; feed != nil {
			feed.Close()
			delete(d.feeds, args[1].Int())
		}
		return nil, nil
	})
	function(object, "at", func(args []js.Value) (any, error) {
		session, err := sessionOf("at", args)
		if err != nil {
			return nil, err
		}
		earlier, err := session.SessionAt(uint64(args[1].Float()))
		if err != nil {
			return nil, err
		}
		handle, err := bridge.Open(earlier)
		return float64(handle), err
	})
}
