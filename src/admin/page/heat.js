/* The whole graph as a map of its traffic: the more often an edge was taken, the thicker and stronger it is drawn. */

import { el } from './dom.js';
import { makeFrame } from './frame.js';
import { number } from './format.js';
import { t } from './language.js';
import { boxOf } from './picture.js';

const THINNEST = 0.6, THICKEST = 7;

/* Of all ways out of a node, and what they are called. */
function outOf(graph) {
    const out = new Map(graph.nodes.map(node => [node.name, []]));

    for (const edge of graph.edges)
        out.get(edge.from).push(edge);
    return out;
}

function edgeName(edge) {
    return edge.on === 'stop' ? edge.end : `${t(`on_${edge.on}`)} → ${edge.end ?? edge.to}`;
}

export async function makeHeat() {
    const frame = await makeFrame(t('heatPicture'), picture => picture.box), { picture, panZoom } = frame, { graph, find } = picture;
    const out = outOf(graph), nodes = new Map(graph.nodes.map(node => [node.name, node]));
    let counts = {};

    function cardOf(node) {
        const edges = out.get(node.name).map(edge => [edge, counts[edge.id] ?? 0]).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
        const all = edges.reduce((sum, [, n]) => sum + n, 0);

        return [
            el('p', { class: 'card-name' }, `${node.block} / ${node.name}`), el('p', { class: 'said' }, node.text),
            el('p', { class: 'card-count' }, t('passedTimes', { n: all })),
            el('dl', { class: 'facts ways' }, edges.slice(0, 8).map(([edge, n]) => el('div', null, el('dt', null, edgeName(edge)), el('dd', null, number(n))))),
        ];
    }

    function look(name) {
        const node = nodes.get(name), drawn = find(`n-${name}`);

        if (node && drawn)
            frame.showCard(drawn, cardOf(node));
        else
            frame.hideCard();
    }

    function edgeCard(edge) {
        return [
            el('p', { class: 'card-name' }, edge.from), el('p', { class: 'said' }, edgeName(edge)),
            el('p', { class: 'card-count' }, t('takenTimes', { n: counts[edge.id] ?? 0 })),
        ];
    }

    /* From afar the edges are easier to point at than the nodes. */
    function listenToEdges() {
        for (const edge of graph.edges) {
            const drawn = find(edge.id), from = find(`n-${edge.from}`);

            if (!drawn || !from)
                continue;
            drawn.addEventListener('pointerenter', () => frame.showCard(from, edgeCard(edge)));
            drawn.addEventListener('pointerleave', frame.hideCard);
        }
    }

    /* Roving: one stop for the Tab key, arrow keys through the nodes in the order of the graph. */
    function listen() {
        const drawn = graph.nodes.map(node => [node.name, find(`n-${node.name}`)]).filter(([, element]) => element);

        drawn.forEach(([name, element], i) => {
            element.setAttribute('tabindex', i ? '-1' : '0');
            element.setAttribute('role', 'button');
            element.setAttribute('aria-label', nodes.get(name).text);
            element.addEventListener('pointerenter', () => look(name));
            element.addEventListener('pointerleave', () => look(null));
            element.addEventListener('focus', () => element.matches(':focus-visible') && (panZoom.reveal(boxOf(element)), look(name)));
            element.addEventListener('blur', () => look(null));
            element.addEventListener('keydown', event => {
                const to = drawn[i + ({ ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key] ?? NaN)]?.[1];

                if (!to)
                    return;
                event.preventDefault();
                event.stopPropagation();
                element.setAttribute('tabindex', '-1');
                to.setAttribute('tabindex', '0');
                to.focus({ preventScroll: true });
            });
        });
    }

    function paint(id, share) {
        const drawn = find(id);

        drawn?.classList.toggle('cold', share === 0);
        drawn?.style.setProperty('--heat', share.toFixed(3));
        drawn?.style.setProperty('--width', `${(THINNEST + share * (THICKEST - THINNEST)).toFixed(2)}px`);
    }

    function show(edges) {
        const most = Math.log1p(Math.max(1, ...Object.values(edges))), passed = new Map(), stops = new Map();
        /* A logarithm alone leaves little between often and always; squared, the main way stands out. */
        const share = n => (Math.log1p(n) / most) ** 2;

        counts = edges;
        for (const edge of graph.edges) {
            const n = edges[edge.id] ?? 0;

            passed.set(edge.from, (passed.get(edge.from) ?? 0) + n);
            paint(edge.id, share(n));
            if (edge.on === 'stop')
                stops.set(edge.from, (stops.get(edge.from) ?? 0) + n);
            else if (edge.end)
                paint(`r-${edge.from}-${edge.on}`, share(n));
        }
        for (const [name, n] of stops) {
            paint(`e-${name}-stop`, share(n));
            paint(`r-${name}-stop`, share(n));
        }
        for (const [name, n] of passed)
            paint(`n-${name}`, share(n));
    }

    return {
        element: frame.element, graph, show,
        settle() {
            frame.settle();
            picture.svg.classList.add('heat');
            panZoom.fit(picture.box, { glide: false, margin: 8 });
            listen();
            listenToEdges();
        },
        /* An end is looked at from outside: show where it is. */
        lookAt(name) {
            for (const element of picture.svg.querySelectorAll('.looked'))
                element.classList.remove('looked');
            find(`n-${name}`)?.classList.add('looked');
            look(name);
        },
        release: frame.release,
    };
}
