#include "control/config/lists/list_changes.h"

#include <algorithm>

#include "matchers/quote.h"

namespace steer::config {
namespace {

const ReadList* find(std::span<const ReadList> lists, const ReadList& wanted) {
    const auto at = std::ranges::find_if(lists, [&](const ReadList& l) {
        return l.owner == wanted.owner && l.source == wanted.source;
    });
    return at == lists.end() ? nullptr : &*at;
}

std::string counted(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string news_of(const ReadList& list, const ReadList* before) {
    std::string out = "list " + matchers::quoted_path(list.source) + " of " + list.owner + ": ";
    if (!list.loaded) return out + "not fetched yet, so it is empty";
    out += counted(list.rules, "rule");
    if (before != nullptr && before->loaded)
        out += " (before: " + std::to_string(before->rules) + ")";
    if (list.bad_lines > 0) out += ", " + counted(list.bad_lines, "invalid line") + " skipped";
    if (list.left_out > 0) out += ", " + counted(list.left_out, "unsupported rule") + " skipped";
    return out;
}

}  // namespace

void give_uses(Settings& settings) {
    for (Plugin& plugin : settings.plugins) {
        auto* const download = std::get_if<Download>(&plugin.args);
        if (download == nullptr) continue;
        for (DownloadItem& item : download->items) {
            for (const ReadList& list : settings.lists) {
                if (list.file == item.file && !list.use.type.empty()) item.uses.push_back(list.use);
            }
        }
    }
}

bool shrank_too_much(std::size_t before, std::size_t now, std::uint32_t max_shrink) {
    if (before < kSmallList || now >= before) return false;
    return (before - now) * 100 > before * max_shrink;
}

std::string shrink_text(std::size_t before, std::size_t now, std::uint32_t max_shrink) {
    return "it has " + counted(now, "rule") + " and had " + std::to_string(before) +
           ": more than 'max_shrink' (" + std::to_string(max_shrink) +
           " %) were lost, possibly by truncation; raise 'max_shrink' of this list if it is "
           "correct";
}

std::vector<Error> shrunk_lists(std::span<const ReadList> before, std::span<const ReadList> now) {
    std::vector<Error> out;
    for (const ReadList& list : now) {
        const ReadList* const old = find(before, list);
        if (old == nullptr || !old->loaded) continue;
        if (list.is_damaged) {
            out.push_back({"the copy of " + list.source + " for " + list.owner +
                               " is damaged: the rules in force stay; remove the file, then fetch "
                               "the list with 'steerctl lists fetch'",
                           list.file});
        }
        if (list.is_remote) continue;
        if (!shrank_too_much(old->rules, list.rules, list.max_shrink)) continue;
        out.push_back({"the list " + matchers::quoted_path(list.source) + " of " + list.owner +
                           " is rejected: " + shrink_text(old->rules, list.rules, list.max_shrink),
                       list.file});
    }
    return out;
}

std::vector<std::string> lists_not_loaded(std::span<const ReadList> lists) {
    std::vector<std::string> out;
    for (const ReadList& list : lists) {
        if (!list.loaded && std::ranges::find(out, list.source) == out.end())
            out.push_back(list.source);
    }
    return out;
}

std::vector<std::string> list_news(std::span<const ReadList> before,
                                   std::span<const ReadList> now) {
    std::vector<std::string> out;
    for (const ReadList& list : now) {
        const ReadList* const old = find(before, list);
        if (old == nullptr || old->rules != list.rules || old->bad_lines != list.bad_lines ||
            old->left_out != list.left_out || old->loaded != list.loaded)
            out.push_back(news_of(list, old));
    }
    return out;
}

}  // namespace steer::config
