#include "matchers/list/prefix_list.h"

#include <utility>

#include "matchers/list/lines.h"

namespace steer::matchers {

PrefixList read_prefixes(std::string_view bytes, std::string_view file) {
    PrefixList list{{}, BadLines(file)};
    if (auto error = not_utf8(bytes)) {
        list.bad.add(*std::move(error), 1);
        return list;
    }
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        const std::string_view text = without_comment(line->text);
        if (text.empty()) continue;
        if (auto prefix = Prefix::parse(text)) {
            list.prefixes.push_back({*prefix, line->number});
        } else {
            list.bad.add(std::move(prefix).error(), line->number);
        }
    }
    return list;
}

}  // namespace steer::matchers
