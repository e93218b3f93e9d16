/*
 * The server-sent events, one stream for the whole page. It is given up while the page has been out of sight for a while,
 * because a browser has few connections to one server and the server few places for readers.
 */

const HIDDEN_MS = 60_000, RETRY_MS = 1000, RETRY_MOST_MS = 15_000;

const listeners = { rows: new Set(), pulse: new Set(), state: new Set(), opened: new Set() };

let source = null, query = '', state = 'connecting', retryMs = RETRY_MS, retryTimer = 0, hiddenTimer = 0;

export function listen(kind, listener) {
    listeners[kind].add(listener);
    return () => listeners[kind].delete(listener);
}

function tell(kind, value) {
    for (const listener of listeners[kind])
        listener(value);
}

export const liveState = () => state;

function setState(next) {
    if (next === state)
        return;
    state = next;
    tell('state', state);
}

function opened() {
    retryMs = RETRY_MS;
    setState('live');
    tell('opened');
}

/* A browser tries again of its own after a cut, but never after an answer that was no stream. */
function failed() {
    setState('lost');
    if (source.readyState !== EventSource.CLOSED)
        return;
    clearTimeout(retryTimer);
    retryTimer = setTimeout(open, retryMs);
    retryMs = Math.min(retryMs * 2, RETRY_MOST_MS);
}

function close() {
    clearTimeout(retryTimer);
    source?.close();
    source = null;
}

function open() {
    close();
    source = new EventSource(`/events${query}`);
    source.addEventListener('open', opened);
    source.addEventListener('error', failed);
    source.addEventListener('exchanges', event => tell('rows', JSON.parse(event.data)));
    source.addEventListener('pulse', event => tell('pulse', JSON.parse(event.data)));
}

/* Starts the stream, or starts it anew with other parameters. */
export function streamOf(parameters) {
    const text = String(new URLSearchParams(parameters));

    query = text ? `?${text}` : '';
    open();
}

document.addEventListener('visibilitychange', () => {
    clearTimeout(hiddenTimer);
    if (document.hidden)
        hiddenTimer = setTimeout(close, HIDDEN_MS);
    else if (!source)
        open();
});
