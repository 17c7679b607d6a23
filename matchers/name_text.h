// The text form of a domain name, the same for all settings and all readers of lists.
//
// A name has labels of letters, digits, `-` and `_`. Letters outside ASCII are converted by IDNA
// (RFC 5891, by UTS 46). `\DDD` is any byte (RFC 1035 5.1). `/` is allowed below in-addr.arpa (RFC
// 2317). The last label must not have only digits, because `10.0.0.1` is an address. Everything
// else is a form of another program or a mistake, and would match no query. The Error says what to
// write. Set-up only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "matchers/result.h"

namespace steer::matchers {

// What is also allowed in names from zone files or from our own output, and what a message may
// advise.
struct NameForm {
    bool any_escape = false;  // also `\X`, which means X
    bool stars = false;       // `*` as a whole label, except as the first of several
    bool printable = false;   // every printable byte, as zone files have: `a+b`
    bool alone = false;       // a name, not a rule: the advice has no `domain:`
    bool numbers = false;     // the last label may have only digits, as in queries
};

// The name in its unique text form: lower case, ASCII, without a last dot, other bytes as `\DDD`.
// At most 255 bytes in wire form. The root is an Error.
Result<std::string> parse_name(std::string_view text, NameForm form = {});

// What to write instead of an IP address or network. No value: the text is neither. `alone`: as in
// NameForm.
std::optional<Error> address_for_name(std::string_view text, bool alone);

// The text of a keyword rule: a part of a name, in lower case.
Result<std::string> parse_keyword(std::string_view text);

// The wire form of a result of parse_name(), without the root byte. Empty: the text is no such
// result.
std::string wire_of_name(std::string_view name);

}  // namespace steer::matchers
