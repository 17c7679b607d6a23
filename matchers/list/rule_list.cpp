#include "matchers/list/rule_list.h"

#include <utility>

#include "matchers/list/lines.h"

namespace steer::matchers {

RuleList read_rules(std::string_view bytes, std::string_view file, RuleKind fallback) {
    RuleList list{{}, BadLines(file)};
    if (auto error = not_utf8(bytes)) {
        list.bad.add(*std::move(error), 1);
        return list;
    }
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        const bool is_regexp = line->text.starts_with("regexp:");
        const std::string_view text = is_regexp ? line->text : without_comment(line->text);
        if (text.empty()) continue;
        if (auto rule = parse_rule(text, fallback)) {
            list.rules.push_back({*std::move(rule), line->number});
        } else {
            list.bad.add(std::move(rule).error(), line->number);
        }
    }
    return list;
}

}  // namespace steer::matchers
