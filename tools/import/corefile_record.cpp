#include "tools/import/corefile_record.h"

#include <algorithm>
#include <array>
#include <vector>

#include "tools/import/corefile_import.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::uint64_t kMaxNumber16 = 65'535, kMaxNumber32 = 4'294'967'295,
                        kMaxCoreTtlMs = 2'147'483'647'000;

constexpr std::array<std::string_view, 60> kCoreTypes{
    "A",          "AAAA",  "AFSDB", "ANY",   "APL",   "AVC",    "AXFR",  "CAA",    "CDNSKEY",
    "CDS",        "CERT",  "CNAME", "CSYNC", "DHCID", "DLV",    "DNAME", "DNSKEY", "DS",
    "EUI48",      "EUI64", "GPOS",  "HINFO", "HIP",   "HTTPS",  "ISDN",  "IXFR",   "KEY",
    "KX",         "L32",   "L64",   "LOC",   "LP",    "MB",     "MG",    "MINFO",  "MR",
    "MX",         "NAPTR", "NID",   "NS",    "NSEC",  "NSEC3",  "NULL",  "OPT",    "PTR",
    "OPENPGPKEY", "RP",    "RRSIG", "RT",    "SIG",   "SMIMEA", "SOA",   "SPF",    "SRV",
    "SSHFP",      "SVCB",  "TLSA",  "TXT",   "URI",   "ZONEMD"};

// The next word behind blanks.
std::string take_core_word(std::string_view& rest) {
    while (!rest.empty() && is_blank(rest.front()))
        rest.remove_prefix(1);
    std::size_t end = 0;
    while (end < rest.size() && !is_blank(rest[end]))
        ++end;
    std::string word(rest.substr(0, end));
    rest.remove_prefix(end);
    return word;
}

bool is_target(std::string_view word) {
    return word == "." || is_core_name(plain_name(word));
}

// Strings of at most 255 printable characters, in quotes or without blanks.
bool are_strings(std::string_view data) {
    constexpr std::size_t kLongest = 255;
    std::size_t length = 0, count = 0;
    bool is_quoted = false;
    for (const char c : data) {
        if (c < ' ' || c > '~' || c == '\\') return false;
        if (c == '"') {
            is_quoted = !is_quoted;
            length = 0;
            ++count;
        } else if (!is_quoted && (c == ';' || c == '(' || c == ')')) {
            return false;
        } else if (!is_quoted && c == ' ') {
            length = 0;
        } else {
            ++count;
            if (++length > kLongest) return false;
        }
    }
    return !is_quoted && count > 0;
}

// 'n': a name, '2' and '4': a number of 2 or 4 bytes.
bool has_form(const std::vector<std::string>& words, std::string_view form) {
    return std::ranges::equal(words, form, [](const std::string& word, char kind) {
        if (kind == 'n') return is_target(word);
        return parse_number(word, kind == '2' ? kMaxNumber16 : kMaxNumber32).has_value();
    });
}

bool is_data(const std::string& type, const std::string& data) {
    const auto words = split(data, ' ');
    if (type == "A") return words.size() == 1 && is_v4(words[0]);
    if (type == "AAAA") return words.size() == 1 && is_v6(words[0]);
    if (type == "CNAME" || type == "NS" || type == "PTR") return has_form(words, "n");
    if (type == "MX") return has_form(words, "2n");
    if (type == "SRV") return has_form(words, "222n");
    if (type == "SOA") return has_form(words, "nn44444");
    return (type == "TXT" || type == "SPF") && are_strings(data);
}

// ---- expressions

// Of a character, an escape, or a class.
std::size_t part_length(std::string_view text) {
    if (text.front() == '\\') return std::min<std::size_t>(2, text.size());
    if (text.front() != '[') return 1;
    return std::min(text.find(']', 2), text.size() - 1) + 1;
}

// Behind the other alternatives: at the ')' of this group, or the end.
std::string_view behind_alternatives(std::string_view text) {
    for (unsigned depth = 0; !text.empty(); text.remove_prefix(part_length(text))) {
        if (text.front() == ')' && depth-- == 0) break;
        if (text.front() == '(') ++depth;
    }
    return text;
}

// What follows a part of an expression.
enum class Tail : std::uint8_t { more, open, anchored };

Tail tail_of(std::string_view rest) {
    bool is_anchored = false;
    while (!rest.empty()) {
        if (rest.front() == '|') {
            rest = behind_alternatives(rest);
        } else if (rest.front() == ')' || rest.front() == '$') {
            is_anchored |= rest.front() == '$';
            const bool is_group = rest.front() == ')';
            rest.remove_prefix(1);
            if (is_group && !rest.empty() &&
                std::string_view("?*+").find(rest.front()) != rest.npos)
                rest.remove_prefix(1);
        } else {
            return Tail::more;
        }
    }
    return is_anchored ? Tail::anchored : Tail::open;
}

}  // namespace

std::string core_zone(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return plain_name(text);
    const auto bytes = split_all(text.substr(0, slash), '.');
    const auto bits = parse_number(text.substr(slash + 1), 32).value_or(0);
    if (!is_v4(text.substr(0, slash)) || bits == 0 || bits % 8 != 0)
        return std::string(text) + "..";
    std::string out = "in-addr.arpa";
    for (std::size_t i = 0; i < bits / 8; ++i)
        out.insert(0, bytes[i] + ".");
    return out;
}

bool is_core_name(std::string_view name) {
    return name_error(name).empty();
}

bool is_core_string(std::string_view text) {
    constexpr std::size_t kLongest = 255;
    return text.size() <= kLongest && std::ranges::all_of(text, [](char c) {
               return c >= ' ' && c <= '~' && c != '"' && c != '\\';
           });
}

bool is_core_type(std::string_view word) {
    return std::ranges::find(kCoreTypes, word) != kCoreTypes.end();
}

std::string without_final_dot(std::string_view expression) {
    std::string out;
    while (!expression.empty()) {
        const std::string_view part = expression.substr(0, part_length(expression));
        expression.remove_prefix(part.size());
        const bool is_dot = part == "." || part == "\\." || part == "[.]";
        const Tail tail = is_dot ? tail_of(expression) : Tail::more;
        if (tail == Tail::more) {
            out += part;
        } else if (tail == Tail::open) {
            out.append("(?:").append(part).append("|$)");
        }
    }
    return out;
}

std::string expression_below(std::string_view name) {
    std::string out = "regexp:^[^.]+";
    for (const std::string& label : split(name, '.'))
        out += "[.]" + label;
    return out + "$";
}

std::optional<std::string> fill_core_template(std::string_view text, const std::string& zone,
                                              const std::string& type) {
    std::string out;
    while (true) {
        const auto open = text.find("{{");
        out += text.substr(0, open);
        if (open == std::string_view::npos) return out;
        const auto close = text.find("}}", open);
        if (close == std::string_view::npos) return std::nullopt;
        const std::string_view inside = trimmed(text.substr(open + 2, close - open - 2));
        if (inside == ".Name" || inside == ".Question.Name") {
            out += kAskedName;
        } else if (inside == ".Zone") {
            out += zone + ".";
        } else if (inside == ".Class") {
            out += "IN";
        } else if (inside == ".Type") {
            out += type;
        } else {
            return std::nullopt;
        }
        text.remove_prefix(close + 2);
    }
}

std::string CoreRecord::text() const {
    return owner + " " + ttl_s + " " + klass + " " + type + " " + data;
}

CoreRecord read_core_record(std::string_view text) {
    CoreRecord out;
    out.klass = "IN";
    out.ttl_s = "3600";
    out.owner = take_core_word(text);
    if (out.owner != kAskedName) {
        if (!is_core_name(plain_name(out.owner))) {
            out.error = "has no name that is supported";
            return out;
        }
        out.owner = plain_name(out.owner) + ".";
    }
    // TTL and class, in any order.
    for (out.type = take_core_word(text); !out.type.empty(); out.type = take_core_word(text)) {
        if (out.type == "IN" || out.type == "CH") {
            out.klass = out.type;
        } else if (const auto ms = parse_go_time(out.type); ms && *ms <= kMaxCoreTtlMs) {
            out.ttl_s = std::to_string(*ms / 1000);
        } else {
            break;
        }
    }
    out.data = trimmed(text);
    if (out.type == "SOA") std::erase_if(out.data, [](char c) { return c == '(' || c == ')'; });
    if (!is_data(out.type, out.data))
        out.error = "is no record of type A, AAAA, CNAME, MX, NS, PTR, SOA, SPF, SRV or TXT";
    return out;
}

}  // namespace steer::importing
