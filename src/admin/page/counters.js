/* The numbers above the picture of the traffic, from the pulses of the event stream. */

import { el, say } from './dom.js';
import { bytes, number } from './format.js';
import { t } from './language.js';
import { filterAddress } from './route.js';
import { makeSparkline } from './sparkline.js';

const CLASSES = ['2', '3', '4', '5', '1', '0'];

function figure(name, ...more) {
    const value = el('dd', { class: 'figure' });

    return { value, element: el('div', { class: 'counter' }, el('dt', null, name), value, more) };
}

function classesBar() {
    const all = CLASSES.map(c => {
        const link = el('a', { href: filterAddress(`class:${c}`), title: t(`class${c}`) }, c === '0' ? t('none') : `${c}xx`), count = el('b');

        return { c, count, piece: el('span', { class: `piece class-${c}` }), item: el('li', { class: `class-${c}` }, link, ' ', count) };
    });

    return {
        element: el('div', { class: 'counter classes' }, el('dt', null, t('byClass')),
            el('dd', null, el('div', { class: 'class-bar', 'aria-hidden': 'true' }, all.map(one => one.piece)), el('ul', null, all.map(one => one.item)))),
        show(classes) {
            for (const { c, count, piece, item } of all) {
                const n = classes[c] ?? 0;

                piece.style.flexGrow = n;
                piece.hidden = item.hidden = n === 0;
                say(count, number(n));
            }
        },
    };
}

export function makeCounters() {
    const line = makeSparkline(t('rate')), classes = classesBar();
    const rate = figure(t('rate'), line.element), exchanges = figure(t('exchanges')), connections = figure(t('connections')),
        running = figure(t('running')), received = figure(t('received')), sent = figure(t('sent')), lost = figure(t('linesLost'));

    lost.element.hidden = true;
    lost.element.classList.add('lost');
    return {
        element: el('dl', { class: 'counters' }, [rate, classes, exchanges, running, connections, received, sent, lost].map(part => part.element)),
        show(total) {
            line.draw();
            say(rate.value, t('perSecond', { n: number(total.rate, 1) }));
            classes.show(total.classes);
            say(exchanges.value, number(total.exchanges));
            say(connections.value, number(total.connections));
            say(running.value, number(total.running));
            say(received.value, bytes(total.bytes_in));
            say(sent.value, bytes(total.bytes_out));
            say(lost.value, number(total.log_lines_lost));
            lost.element.hidden = total.log_lines_lost === 0;
        },
    };
}
