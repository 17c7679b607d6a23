// Any bytes as the text of a name: what is a name has one text form, and that form has the name's bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "matchers/name_text.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"
#include "require.h"

namespace m = steer::matchers;

// NOLINTNEXTLINE(readability-identifier-naming): the fuzzer's name for it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const bool any_escape : {false, true}) {
        for (const bool stars : {false, true}) {
            const m::NameForm form{any_escape, stars};
            const auto name = m::parse_name(text, form);
            if (!name) {
                require(!name.error().text.empty() && name.error().text.size() < 1000,
                        "what is no name has a sentence");
                continue;
            }
            const std::string wire = m::wire_of_name(*name);
            require(!wire.empty() && wire.size() <= 254, "a name has a wire form");
            const auto again = m::parse_name(*name, form);
            require(again && *again == *name, "a name's form is a name");
            for (const char c : *name)
                require(c > ' ' && static_cast<unsigned char>(c) < 0x7f, "it is printable");
        }
    }
    if (const auto keyword = m::parse_keyword(text))
        require(!keyword->empty() && keyword->size() <= 253, "a keyword is part of a name");
    require(steer::is_safe_text(m::quoted(text), std::string::npos), "what is quoted is safe");
    for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{5}, size / 2}) {
        const auto bytes = steer::whole_bytes(text, most);
        require(bytes.size() <= most && bytes.size() + 3 >= std::min(most, size),
                "a cut takes one character at most");
    }
    return 0;
}
