#include "res/file/words.h"

#include "http/accept.h"

static const struct file_words all[] = {
    { SPAN_INIT("en"), SPAN_INIT("Index of"), SPAN_INIT("Parent directory"), SPAN_INIT("Name"), SPAN_INIT("Size"),
      SPAN_INIT("Modified (UTC)"), SPAN_INIT("There are more names than this page shows.") },
    { SPAN_INIT("zh-CN"), SPAN_INIT("目录"), SPAN_INIT("上级目录"), SPAN_INIT("名称"), SPAN_INIT("大小"),
      SPAN_INIT("修改时间 (UTC)"), SPAN_INIT("名称太多，本页未全部列出。") },
    { SPAN_INIT("zh-TW"), SPAN_INIT("目錄"), SPAN_INIT("上層目錄"), SPAN_INIT("名稱"), SPAN_INIT("大小"),
      SPAN_INIT("修改時間 (UTC)"), SPAN_INIT("名稱太多，本頁未全部列出。") },
};

const struct file_words *file_words_for(struct span accept_language)
{
    const struct file_words *best = &all[0];
    unsigned quality = accept_quality_language(accept_language, best->language);

    for (size_t i = 1; i < sizeof all / sizeof all[0]; i++) {
        unsigned q = accept_quality_language(accept_language, all[i].language);

        if (q <= quality)
            continue;
        best = &all[i];
        quality = q;
    }
    return best;
}

bool file_words_json(struct span accept)
{
    return accept_quality_media(accept, SPAN("application/json")) > accept_quality_media(accept, SPAN("text/html"));
}

struct span file_words_style(void)
{
    return SPAN("<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n"
                "<style>"
                "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
                "h1{font-size:1.3rem;overflow-wrap:anywhere}"
                "table{border-collapse:collapse;width:100%}"
                "th,td{text-align:start;padding:.2rem .5rem;border-bottom:1px solid #8884}"
                "td:first-child{overflow-wrap:anywhere}"
                ".n{text-align:end;white-space:nowrap;font-variant-numeric:tabular-nums}"
                "</style>\n");
}
