// Files with one `RULE VALUE...` per line: hosts, redirect.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "control/config/lists/rules.h"
#include "control/config/reading.h"
#include "matchers/list/lines.h"

namespace steer::config {

// Calls add(entry, number of the file, line) with the result of `parse` (from text to a Result) for
// each line. Reports bad lines. Lines that begin with one of `comments` are none.
template <class Parse, class Add>
void read_entry_lines(Reading& in, std::string_view bytes, const std::string& file, bool strict,
                      const Place& place, Parse&& parse, Add&& add,
                      std::string_view comments = "#") {
    matchers::BadLines bad(file);
    std::size_t good = 0;
    if (auto error = matchers::not_utf8(bytes)) {
        bad.add(*std::move(error), 1);
    } else {
        const std::uint32_t number = in.file_number(file);
        matchers::Lines lines(bytes);
        while (const auto line = lines.next()) {
            if (line->text.empty() || comments.find(line->text[0]) != comments.npos) continue;
            if (auto entry = parse(line->text)) {
                add(*std::move(entry), number, line->number);
                ++good;
            } else {
                bad.add(std::move(entry).error(), line->number);
            }
        }
    }
    say_bad_lines(in, bad, good, strict, file, place, kOfOperator);
}

}  // namespace steer::config
