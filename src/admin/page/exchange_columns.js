/* The columns of the table of exchanges; table.css has their widths, and which of them a narrow table leaves out. */

import { clock, fullTime, statusClass, statusText } from './format.js';
import { t } from './language.js';

const badRequest = row => row.method === '' && row.target === '';

function statusHint(row) {
    const parts = [row.status ? t(`class${Math.floor(row.status / 100)}`) : t('nothingSent')];

    if (row.detail)
        parts.push(t('detailHint', { dialect: row.dialect, detail: row.detail }));
    if (row.broken)
        parts.push(t('brokenHint', { reason: row.broken }));
    return parts.join('\n');
}

export function exchangeColumns() {
    return [
        { name: 'time', title: t('time'), text: row => clock(row.time_ms), hint: row => fullTime(row.time_ms) },
        { name: 'method', title: t('method'), text: row => row.method },
        {
            name: 'target', title: t('target'), text: row => (badRequest(row) ? t('unreadHead') : row.target),
            class: row => (badRequest(row) ? 'quiet' : ''), hint: row => row.target,
        },
        {
            name: 'status', title: t('status'), text: row => statusText(row) + (row.broken ? ' !' : ''),
            class: row => statusClass(row.status), hint: statusHint,
        },
        { name: 'reason', title: t('reason'), text: row => row.reason, class: row => (row.failed ? statusClass(row.status) : 'quiet') },
        { name: 'operand', title: t('operand'), text: row => row.operand, hint: row => row.operand },
        { name: 'ms', title: t('ms'), text: row => String(row.ms), class: row => (row.slow ? 'slow' : ''), hint: row => (row.slow ? t('slow') : '') },
        { name: 'client', title: t('client'), text: row => row.client, hint: row => row.client },
        { name: 'site', title: t('site'), text: row => row.site, hint: row => row.site },
    ];
}
