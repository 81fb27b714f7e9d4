package storage

import "syscall/js"

// maxTold is the longest record whose bytes go along with the news of it. A
// longer one is read from the log, which costs less than cloning it for every
// page that may not even look.
const maxTold = 64 << 10

// A channel tells the pages and workers of one origin what was appended. It
// serves speed only: a session that hears nothing meets the news as a conflict.
type channel struct {
	name     string
	js       js.Value // a BroadcastChannel; undefined until it is needed
	handlers          // of js
}

// open returns whether there is a BroadcastChannel.
func (c *channel) open() bool {
	if !c.js.IsUndefined() {
		return true
	}
	constructor := js.Global().Get("BroadcastChannel")
	if constructor.Type() != js.TypeFunction {
		return false
	}
	channel, err := try(func() js.Value { return constructor.New(c.name) })
	if err != nil { // an opaque origin has none
		return false
	}
	c.js = channel
	return true
}

func (c *channel) close() {
	if !c.js.IsUndefined() {
		c.release()
		c.js.Call("close")
		c.js = js.Undefined()
	}
}

// tell says that a record is stored, and sends its bytes along unless they are
// undefined.
func (c *channel) tell(seq uint64, bytes js.Value) {
	if !c.open() {
		return
	}
	message := js.Global().Get("Object").New()
	message.Set("seq", float64(seq))
	if !bytes.IsUndefined() {
		message.Set("bytes", bytes)
	}
	// The record is stored, whether others hear of it now or later.
	_, _ = try(func() js.Value { return c.js.Call("postMessage", message) })
}

// watch calls listener for what others tell, and with 0 when the page comes
// back into view: browsers let hidden pages miss messages.
func (c *channel) watch(listener func(seq uint64, bytes []byte)) (stop func()) {
	look := js.FuncOf(func(_ js.Value, args []js.Value) any {
		document := js.Global().Get("document")
		if document.Type() != js.TypeObject || text(document.Get("visibilityState")) != "hidden" {
			listener(0, nil)
		}
		return nil
	})
	stopLooking := []func(){}
	for _, place := range []struct{ object, event string }{{"document", "visibilitychange"}, {"window", "pageshow"}} {
		target := js.Global().Get(place.object)
		if target.Type() != js.TypeObject { // a worker has neither
			continue
		}
		target.Call("addEventListener", place.event, look)
		stopLooking = append(stopLooking, func() { target.Call("removeEventListener", place.event, look) })
	}
	if c.open() {
		c.on(c.js, "message", func(event js.Value) {
			message := event.Get("data")
			if message.Type() != js.TypeObject || message.Get("seq").Type() != js.TypeNumber {
				return // anything in the page may speak here
			}
			seq := uint64(message.Get("seq").Float())
			if bytes := message.Get("bytes"); isBytes(bytes) {
				listener(seq, bytesToGo(nil, bytes))
			} else {
				listener(seq, nil)
			}
		})
	}
	return func() {
		for _, stop := range stopLooking {
			stop()
		}
		look.Release()
		if !c.js.IsUndefined() {
			c.js.Set("onmessage", js.Null())
		}
	}
}
