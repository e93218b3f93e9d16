/* One exchange: what happened, the way it took through the graph, and all that is kept of it. */

import { ask, askOnce } from './api.js';
import { codesTable } from './codes.js';
import { copyButton } from './copy.js';
import { el } from './dom.js';
import { clock, bytes, duration, fullTime, statusClass, statusText } from './format.js';
import { heads } from './heads.js';
import { t } from './language.js';
import { makeLit } from './lit.js';
import { filterAddress, reasonAddress } from './route.js';
import { errorState, notKept } from './states.js';
import { specLink } from './step.js';
import { makeSteps } from './steps.js';
import { timeBar } from './time_bar.js';
import { upstreamPart } from './upstream.js';

/* acts.follow(client): show only what this client asks. acts.back(): address of the table. */
export function mountExchange(place, id, acts) {
    const end = new AbortController();
    let lit = null;

    place.replaceChildren(el('p', { class: 'quiet waiting' }, t('loading')));
    Promise.all([ask(`/api/exchanges/${encodeURIComponent(id)}`, {}, end.signal), askOnce('/api/graph').catch(() => null)]).then(async ([x, graph]) => {
        if (end.signal.aborted)
            return;
        const path = pathSection(x, graph);

        place.replaceChildren(el('article', { class: 'exchange' }, toolbar(x, acts), headline(x), path.element,
            x.upstream && section(t('upstream'), upstreamPart(x)), section(t('timing'), timeBar(x)), section(t('heads'), heads(x)), section(t('codes'), codesTable(x.explanation.codes, x.explanation.others, x.dialect)), about(x)));
        place.scrollTop = 0;
        lit = await path.start(() => end.signal.aborted);
    }).catch(error => {
        if (end.signal.aborted)
            return;
        place.replaceChildren(closeBar(acts), error.kind === 'gone' ? notKept(id) : errorState(error));
    });
    return {
        id,
        release() {
            end.abort();
            lit?.release();
            place.replaceChildren();
        },
    };
}

function section(title, ...content) {
    return el('section', { class: 'part' }, el('h3', null, title), content);
}

function closeLink(acts) {
    return el('a', { class: 'close', href: acts.back(), title: t('closeHint'), 'aria-label': t('close') },
        el('span', { class: 'back' }, `← ${t('exchanges')}`), el('span', { class: 'cross', 'aria-hidden': 'true' }, '×'));
}

const closeBar = acts => el('div', { class: 'exchange-bar' }, closeLink(acts));

function toolbar(x, acts) {
    return el('div', { class: 'exchange-bar' },
        copyButton(x.id, x.id, t('copyId')),
        copyButton(`verdict why ${x.id}`, `verdict why ${x.id}`, t('copyCommand')),
        el('button', { type: 'button', onclick: () => acts.follow(x.client), title: x.client }, t('follow')),
        closeLink(acts));
}

function headline(x) {
    return el('header', { class: 'headline' },
        el('h2', null,
            el('span', { class: `code ${x.broken ? 'broken-code' : statusClass(x.status)}` }, statusText(x)),
            el('a', { class: 'reason', href: reasonAddress(x.reason), title: t('toReference') }, x.reason),
            x.broken && el('span', { class: 'broken-reason' }, `✕ ${t('brokenTitle')} `,
                el('a', { href: reasonAddress(x.broken), title: t('toReference') }, x.broken))),
        el('p', { class: 'asked' }, x.method ? `${x.method} ${x.target}` : t('unreadHead')),
        typeof x.explanation.configured === 'string' && el('p', { class: 'configured' }, t('configured', { route: x.explanation.configured })),
        words(x.explanation, x.broken ? t('decided') : ''),
        x.broken_explanation && el('div', { class: 'broken' }, words(x.broken_explanation, t('brokenTitle'))),
        facts(x));
}

/* title: for what, where an exchange has two reasons. */
function words({ what, todo }, title) {
    return [
        el('p', { class: 'what' }, title && el('b', null, title), title && ' ', what),
        todo && el('p', { class: 'todo' }, el('b', null, t('todo')), ' ', todo),
    ];
}

function fact(name, value, hint) {
    return value !== null && value !== '' && value !== undefined && el('div', { title: hint }, el('dt', null, name), el('dd', null, value));
}

/* Where it went wrong: in what was read, or what the system said. */
function placeOf(x) {
    if (x.at_kind === 'byte')
        return t('atByte', { n: x.at });
    if (x.at_kind !== 'errno')
        return '';
    return t('atErrno', { name: x.path.at(-1)?.facts.find(f => f.name === 'errno')?.value ?? String(x.at) });
}

function facts(x) {
    return el('dl', { class: 'pairs' },
        fact(t('operand'), x.operand && el('code', null, x.operand), t('operandHint')),
        fact(t('lasts'), x.status >= 400 || !x.status ? t(`lasts_${x.explanation.lasts}`) : ''),
        fact(t('at'), placeOf(x), t('atHint')),
        fact(t('spec'), x.explanation.spec && specLink(x.explanation.spec)),
        fact(t('client'), x.client),
        fact(t('time'), clock(x.time_ms), fullTime(x.time_ms)));
}

function about(x) {
    return section(t('about'), el('dl', { class: 'pairs' },
        fact(t('protocol'), x.protocol), fact(t('site'), x.site), fact(t('route'), x.route), fact(t('resource'), x.resource),
        fact(t('received'), bytes(x.bytes_in)), fact(t('sent'), bytes(x.bytes_out)), fact(t('total'), duration(x.ms)),
        fact(t('worker'), String(x.worker)), fact(t('source'), x.source && el('code', null, x.source), t('sourceHint')),
        fact('traceparent', x.traceparent && el('code', null, x.traceparent)),
        fact(t('sameReason'), el('a', { href: filterAddress(`reason:${x.reason}`) }, x.reason))));
}

/* Drawing and list look at the same step. start() is called with both in the document. */
function pathSection(x, graph) {
    let lit = null;
    const steps = makeSteps(x.path, graph, (i, reveal) => {
        steps.look(i);
        lit?.look(i, { reveal, tell: false });
    });
    const stage = el('div', { class: 'stage' }, el('p', { class: 'quiet' }, t('loading')));

    async function start(gone) {
        if (!x.path.length)
            return stage.replaceChildren(el('p', { class: 'quiet' }, t('noPath')));
        try {
            lit = await makeLit(x, steps.look, steps.show);
        } catch (error) {
            if (!gone())
                stage.replaceChildren(errorState(error));
            return null;
        }
        if (gone()) {
            lit.release();
            return null;
        }
        stage.replaceChildren(lit.element);
        lit.settle();
        return lit;
    }

    return { element: el('section', { class: 'part path' }, el('h3', null, t('path', { n: x.path.length })), el('div', { class: 'way' }, stage, steps.element)), start };
}
