package storage

import "syscall/js"

// maxSentBytes is the length of the longest record that a message holds. A longer
// one is read from the log: that costs less than a clone for every page, also for
// pages that do not use it.
const maxSentBytes = 64 << 10

// A channel tells the pages and workers of one origin which records were
// appended. It is for speed only: a session that gets no message meets the record
// as a conflict.
type channel struct {
	name     string
	js       js.Value             // a BroadcastChannel; undefined until it is needed, and while the page is frozen
	hear     func(event js.Value) // takes its messages; nil: nobody does
	isFrozen bool                 // the page, or it is about to be
	handlers                      // of js
}

// open reports whether there is a BroadcastChannel, which it makes if needed.
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
	if channel.Get("unref").Type() == js.TypeFunction { // in Node, where a channel that only listens would keep the process alive
		channel.Call("unref")
	}
	c.js = channel
	if c.hear != nil {
		c.on(c.js, "message", c.hear)
	}
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
	// The record is stored even if the message fails.
	_, _ = try(func() js.Value { return c.js.Call("postMessage", message) })
	if c.isFrozen { // the write was stored just before the page stands still
		c.close()
	}
}

// watch calls listener for each message of others, and with 0 when the page
// becomes visible or goes on: browsers let hidden pages miss messages.
//
// A frozen page has no channel: in the back/forward cache, a message would end it
// there, and it would be loaded anew when people come back to it. The channel is
// closed on freeze and not on pagehide, which pages also get that are about to end.
func (c *channel) watch(listener func(seq uint64, bytes []byte)) (stop func()) {
	c.hear = func(event js.Value) {
		message := event.Get("data")
		if typeOf(message) != js.TypeObject {
			return // any script of the origin may post messages here
		}
		seq := seqOf(message.Get("seq"))
		if seq == 0 {
			return
		}
		if bytes := message.Get("bytes"); isBytes(bytes) {
			listener(seq, bytesToGo(nil, bytes))
		} else {
			listener(seq, nil)
		}
	}
	if c.js.IsUndefined() {
		c.open()
	} else { // it was opened to tell
		c.on(c.js, "message", c.hear)
	}
	onReturn := js.FuncOf(func(_ js.Value, args []js.Value) any {
		document := js.Global().Get("document")
		isVisible := document.Type() != js.TypeObject || text(document.Get("visibilityState")) != "hidden"
		if isVisible || text(argument(args, 0).Get("type")) == "resume" {
			c.isFrozen = false
			c.open()
			listener(0, nil)
		}
		return nil
	})
	onFreeze := js.FuncOf(func(js.Value, []js.Value) any {
		c.isFrozen = true
		c.close()
		return nil
	})
	removeListeners := []func(){}
	for _, source := range []struct {
		object, event string
		on            js.Func
	}{
		{"document", "visibilitychange", onReturn}, {"document", "resume", onReturn}, {"window", "pageshow", onReturn},
		{"document", "freeze", onFreeze},
	} {
		target := js.Global().Get(source.object)
		if target.Type() != js.TypeObject { // a worker has neither
			continue
		}
		target.Call("addEventListener", source.event, source.on)
		removeListeners = append(removeListeners, func() { target.Call("removeEventListener", source.event, source.on) })
	}
	return func() {
		for _, remove := range removeListeners {
			remove()
		}
		onReturn.Release()
		onFreeze.Release()
		c.hear, c.isFrozen = nil, false
		if !c.js.IsUndefined() {
			c.js.Set("onmessage", js.Null())
		}
	}
}
