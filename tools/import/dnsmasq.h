// dnsmasq's configuration file: one option per line, `NAME` or `NAME=VALUE`.
//
// Guarantees: every line except comments is an option. A file without any option of dnsmasq is an
// error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/import/note.h"

namespace steer::importing {

struct DnsmasqOption {
    int line = 0;
    std::string name;   // without a leading "--"
    std::string value;  // as in the file
};

struct DnsmasqFile {
    std::vector<DnsmasqOption> options;
    std::optional<Failure> failure;
};

DnsmasqFile read_dnsmasq(std::string_view text);
// Splits the value at commas outside quotes and removes the quotes. Within quotes, `\` makes the
// next character literal.
std::vector<std::string> dnsmasq_words(std::string_view value);
std::string dnsmasq_word(std::string_view value);
// Whether dnsmasq has an option of that name.
bool is_dnsmasq_option(std::string_view name);

}  // namespace steer::importing
