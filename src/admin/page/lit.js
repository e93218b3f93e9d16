/* An exchange's path, lit in the drawing: what it took stands out, the rest steps back, each node tells what it decided. */

import { makeFrame } from './frame.js';
import { t } from './language.js';
import { boxOf, unionOf } from './picture.js';
import { stepCard } from './step.js';

const LAST = 6, READABLE = 0.6;

const centre = box => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });

/* Parts of the drawing that belong to one step: node, and edge with what the edge leads to when it ends there. */
function partsOf(step, find) {
    const parts = [find(`n-${step.node}`)];

    if (step.edge)
        parts.push(find(step.edge));
    if (step.answer === 'stopped') {
        const row = find(step.edge);

        parts.push(find(`e-${step.node}-stop`), find(`r-${step.node}-stop`), row?.previousElementSibling);
    }
    return parts.filter(Boolean);
}

/* path, end: of the API. onlook(index or -1): a node is looked at. onpick(index): one is chosen. */
export async function makeLit({ path, end }, onlook, onpick) {
    /* A box of stops is large: of it, only the row. */
    const endOf = find => end && (find(path.at(-1).answer === 'stopped' ? end.edge : end.box) ?? find(end.box));
    const homeOf = ({ find }) => unionOf([...path.map(step => find(`n-${step.node}`)), endOf(find)].filter(Boolean).map(boxOf));
    const frame = await makeFrame(t('pathPicture'), homeOf), { picture, panZoom } = frame, { find } = picture;
    const nodes = path.map(step => find(`n-${step.node}`)), box = endOf(find);
    let looked = -1;

    function light() {
        picture.svg.classList.add('lit');
        for (const step of path)
            for (const part of partsOf(step, find))
                part.classList.add('on');
        for (const id of end ? [end.box, end.edge] : [])
            find(id)?.classList.add('on');
    }

    function look(i, { reveal = false, tell = true, focus = false } = {}) {
        if (looked >= 0)
            nodes[looked]?.classList.remove('looked');
        looked = i;
        if (i >= 0 && nodes[i]) {
            nodes[i].classList.add('looked');
            if (reveal)
                panZoom.reveal(boxOf(nodes[i]));
            if (focus)
                nodes[i].focus({ preventScroll: true });
            frame.showCard(nodes[i], stepCard(path[i]));
        } else
            frame.hideCard();
        if (tell)
            onlook(i);
    }

    function key(event, i) {
        const to = { ArrowDown: i + 1, ArrowRight: i + 1, ArrowUp: i - 1, ArrowLeft: i - 1, Home: 0, End: path.length - 1 }[event.key];

        if (event.key === 'Enter' || event.key === ' ') {
            event.preventDefault();
            return onpick(i);
        }
        if (to === undefined || !nodes[to])
            return;
        event.preventDefault();
        event.stopPropagation();
        nodes[i].setAttribute('tabindex', '-1');
        nodes[to].setAttribute('tabindex', '0');
        look(to, { reveal: true, focus: true });
    }

    /* One stop for the Tab key, at the end of the path; the arrow keys go along it. */
    function listen(node, i) {
        node.setAttribute('tabindex', i === path.length - 1 ? '0' : '-1');
        node.setAttribute('role', 'button');
        node.setAttribute('aria-label', `${path[i].text} ${path[i].says}`);
        node.addEventListener('pointerenter', () => look(i));
        node.addEventListener('pointerleave', () => document.activeElement !== node && look(-1));
        node.addEventListener('focus', () => looked !== i && look(i, { reveal: true }));
        node.addEventListener('blur', () => look(-1));
        node.addEventListener('keydown', event => key(event, i));
        node.addEventListener('click', () => onpick(i));
    }

    /* All of the path when it can be read so; otherwise its end, because that is what was asked about. */
    function fit() {
        const ends = [homeOf(picture)];

        for (let n = Math.min(LAST, nodes.length); n > 0; n--)
            ends.push(unionOf([...nodes.slice(-n), box].filter(Boolean).map(boxOf)));
        panZoom.fit(ends.find(b => panZoom.scaleFor(b) >= READABLE) ?? ends.at(-1), { glide: false, nearest: 1.1 });
    }

    return {
        element: frame.element,
        settle() {
            frame.settle();
            light();
            nodes.forEach((node, i) => node && listen(node, i));
            frame.trace([...nodes, box].filter(Boolean).map(node => centre(boxOf(node))));
            fit();
        },
        look,
        release: frame.release,
    };
}
