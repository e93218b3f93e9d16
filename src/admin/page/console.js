/* The page itself: which view is shown, in which language and colours, and whether the server is there. */

import { el, say } from './dom.js';
import { mountExchanges } from './exchanges.js';
import { feed, startFeed, watchFeed } from './feed.js';
import { chooseLanguage, language, languages, t } from './language.js';
import { listen, liveState } from './live.js';
import { mountNow } from './now.js';
import { mountReference } from './reference.js';
import { filterAddress, readRoute } from './route.js';
import { keepSetting, setting } from './settings.js';
import { mountTraffic } from './traffic.js';

const views = { exchanges: mountExchanges, traffic: mountTraffic, now: mountNow, reference: mountReference };
const themes = ['auto', 'light', 'dark'];
const main = document.getElementById('main');

let view = null, name = null;

function titleOf(route) {
    return `${route.id ?? route.key ?? t(route.view)} · Verdict`;
}

function go() {
    const route = readRoute(location.hash);

    if (route.view !== name) {
        view?.release();
        name = route.view;
        view = views[name](main);
    }
    view.update(route);
    document.title = titleOf(route);
    for (const tab of document.querySelectorAll('[data-view]')) {
        if (tab.dataset.view === name)
            tab.setAttribute('aria-current', 'page');
        else
            tab.removeAttribute('aria-current');
    }
}

function drawLive() {
    const state = feed.paused && liveState() === 'live' ? 'paused' : liveState(), live = document.querySelector('.live');

    live.dataset.state = state;
    say(live.querySelector('.live-text'), t(`live_${state}`));
}

/* The words of the page's own frame; those of the views are made with the views. */
function drawWords() {
    document.documentElement.lang = language();
    for (const part of document.querySelectorAll('[data-text]'))
        say(part, t(part.dataset.text));
    for (const part of document.querySelectorAll('[data-label]'))
        part.setAttribute('aria-label', t(part.dataset.label));
    document.querySelector('.theme').replaceChildren(...themes.map(theme =>
        el('option', { value: theme, selected: theme === (setting('theme') ?? 'auto') }, t(`theme_${theme}`))));
    drawLive();
}

function drawTheme() {
    const theme = setting('theme');

    document.documentElement.dataset.theme = themes.includes(theme) ? theme : 'auto';
}

function startChoices() {
    const select = document.querySelector('.language');

    select.replaceChildren(...languages.map(([code, text]) => el('option', { value: code, lang: code, selected: code === language() }, text)));
    select.addEventListener('change', () => {
        chooseLanguage(select.value);
        drawWords();
        view?.release();
        view = name = null;
        go();
    });
    document.querySelector('.theme').addEventListener('change', event => {
        keepSetting('theme', event.target.value);
        drawTheme();
    });
}

drawTheme();
startChoices();
drawWords();
listen('state', drawLive);
watchFeed(() => {
    drawLive();
    document.querySelector('[data-view=exchanges]').href = filterAddress(feed.filter);
});
document.querySelector('.skip').addEventListener('click', event => {
    event.preventDefault();
    main.focus();
});
addEventListener('hashchange', go);
startFeed();
go();
