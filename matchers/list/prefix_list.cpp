#include "matchers/list/prefix_list.h"

#include <utility>

#include "matchers/list/lines.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {

PrefixList read_prefixes(std::string_view bytes, std::string_view file) {
    PrefixList list{{}, BadLines(file)};
    if (auto error = not_utf8(bytes)) {
        list.bad.add(*std::move(error), 1);
        return list;
    }
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        std::string_view rest = line->text.substr(0, line->text.find('#'));
        const std::string_view text = take_word(rest);
        if (text.empty()) continue;
        // The rest of the line is a note, unless it is another address.
        const std::string_view next = take_word(rest);
        if (!next.empty() && Prefix::parse(next)) {
            list.bad.add(Error{"more than one address in a line, " + quoted(text) + " and " +
                               quoted(next) + ": write one a line"},
                         line->number);
        } else if (auto prefix = Prefix::parse(text)) {
            list.prefixes.push_back({*prefix, line->number});
        } else {
            list.bad.add(std::move(prefix).error(), line->number);
        }
    }
    return list;
}

}  // namespace steer::matchers
