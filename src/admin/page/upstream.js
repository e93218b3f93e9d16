/* Who else was asked for one exchange, each try, and whose answer it is. */

import { el } from './dom.js';
import { duration } from './format.js';
import { t } from './language.js';
import { filterAddress, reasonAddress } from './route.js';

/* "app (127.0.0.1:3000)", or the name alone: what a forward proxy asks is its only server. */
function who({ name }, server) {
    return server && server !== name ? `${name} (${server})` : name;
}

/* sent: the status that the client got, 0 when it got nothing. */
function answeredBy({ by, name, tries, status }, sent) {
    const words = by === 'upstream' ? t('byUpstream', { who: who({ name }, tries.at(-1)?.server) })
        : t(!sent ? 'byNobody' : tries.length ? 'bySelf' : 'bySelfUnasked', { who: name });

    return status ? `${words} · ${status}` : words;
}

function outcome(one, upstream, last) {
    if (one.reason)
        return el('a', { class: 'failed', href: reasonAddress(one.reason), title: t('toReference') }, one.reason);
    return last && !upstream.status ? t('tryCutOff') : t('tryAnswered');
}

const parts = [['connect', 'tryConnect'], ['send', 'trySend'], ['head', 'tryWait']];

function times(one) {
    return parts.filter(([name]) => one[name] > 0).map(([name, word]) => `${t(word)} ${duration(one[name])}`).join(' · ');
}

function row(one, i, upstream) {
    const last = i + 1 === upstream.tries.length;

    return el('li', { class: one.reason ? 'failed-try' : null },
        el('p', null, el('span', { class: 'quiet' }, t('tryNumber', { n: i + 1 })), ' ', one.server && el('code', null, one.server), ' ', outcome(one, upstream, last)),
        el('p', { class: 'quiet small' }, [one.server && t(one.kept ? 'tryKept' : 'tryNew'), times(one)].filter(Boolean).join(' · ')),
        one.because && el('p', { class: 'again' }, el('b', null, t(one.again ? 'tryAgain' : 'tryNotAgain')), ' ', one.because.text, ' ', one.because.says));
}

/* null: nobody else was asked. */
export function upstreamPart(x) {
    return x.upstream && el('div', { class: 'upstream' },
        el('p', { class: `answered-by ${x.upstream.by}` }, answeredBy(x.upstream, x.status)),
        x.upstream.tries.length > 0 && el('ol', { class: 'tries' }, x.upstream.tries.map((one, i) => row(one, i, x.upstream))),
        el('p', null, el('a', { href: filterAddress(`upstream:${x.upstream.name}`) }, t('sameUpstream', { who: x.upstream.name }))));
}
