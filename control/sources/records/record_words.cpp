#include "control/sources/records/record_words.h"

#include <algorithm>
#include <array>

#include "control/config/report.h"
#include "control/config/text/dns_names.h"
#include "control/config/values.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/quote.h"
#include "routeros/time_text.h"

namespace steer::records {
namespace {

enum class Form : std::uint8_t { text, flag, time };
struct Property {
    std::string_view name;
    Form form = Form::text;
    std::string_view usual = {};  // the value of a record without it
};
constexpr std::array<Property, 19> kProperties{{
    {"type"},
    {"name"},
    {"regexp"},
    {"address"},
    {"cname"},
    {"forward-to"},
    {"mx-preference"},
    {"mx-exchange"},
    {"ns"},
    {"srv-priority"},
    {"srv-weight"},
    {"srv-port"},
    {"srv-target"},
    {"text"},
    {"match-subdomain", Form::flag, "no"},
    {"ttl", Form::time, "1d"},
    {"address-list"},
    {"disabled", Form::flag, "no"},
    {"comment"},
}};

const Property* find(std::string_view name) {
    const auto at = std::ranges::find(kProperties, name, &Property::name);
    return at == kProperties.end() ? nullptr : &*at;
}

std::string with(std::string_view text, char from, char to) {
    std::string out(text);
    std::ranges::replace(out, from, to);
    return out;
}

Error unknown(std::string_view name) {
    std::vector<std::string_view> names;
    names.reserve(kProperties.size());
    for (const Property& property : kProperties)
        names.push_back(property.name);
    std::string text = "unknown property " + matchers::quoted(name);
    const std::string hint = config::did_you_mean(name, names);
    if (hint.empty()) {
        text += ": expected one of ";
        for (const std::string_view one : names)
            text.append(one == names.front() ? "" : ", ").append(one);
    }
    return Error{text + hint};
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

// "1d", "90m", "3601s": a time of the configuration.
std::string duration_text(std::uint64_t seconds) {
    constexpr std::array<std::pair<std::uint64_t, char>, 3> kUnits{
        {{86'400, 'd'}, {3'600, 'h'}, {60, 'm'}}};
    for (const auto& [unit, letter] : kUnits) {
        if (seconds != 0 && seconds % unit == 0) return std::to_string(seconds / unit) + letter;
    }
    return std::to_string(seconds) + "s";
}

Result<std::string> value_as(const Property& property, std::string_view value) {
    const std::string text = config::lowered(value);
    const auto good = [](std::string in_words) -> Result<std::string> {
        return {boost::system::in_place_value, std::move(in_words)};
    };
    switch (property.form) {
        case Form::text:
            return good(std::string(value));
        case Form::flag:
            if (text == "yes" || text == "true") return good("true");
            if (text == "no" || text == "false") return good("false");
            return Error{std::string(property.name) + " is " + matchers::quoted(value) +
                         ": expected yes or no"};
        case Form::time:
            if (const auto seconds = routeros::parse_time(text))
                return good(duration_text(*seconds));
            return Error{std::string(property.name) + " is " + matchers::quoted(value) +
                         ": expected a time, as in 1h30m or 00:05:00"};
    }
    return good(std::string(value));
}

// The value in RouterOS's words.
std::string shown(const Property& property, const std::string& value) {
    if (property.form == Form::flag) return value == "true" ? "yes" : "no";
    return value;
}

const std::string* find(const config::RecordFields& fields, std::string_view key) {
    const auto at = std::ranges::find(fields, key, [](const auto& f) { return f.first; });
    return at == fields.end() ? nullptr : &at->second;
}

std::string type_of(const config::RecordFields& fields) {
    if (const auto* const type = find(fields, "type")) {
        std::string out = *type;
        for (char& c : out)
            c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        return out;
    }
    const auto* const text = find(fields, "address");
    const auto address = text == nullptr ? std::nullopt : IpAddress::parse(*text);
    return address && !address->is_v4() ? "AAAA" : "A";
}

// One form for values that mean the same.
std::string normal(std::string_view property, const std::string& value) {
    const Property* const known = find(property);
    std::string text = config::lowered(value);
    if (property == "name" || property == "cname" || property == "ns" ||
        property == "mx-exchange" || property == "srv-target") {
        const auto rule = matchers::parse_rule("full:" + value, matchers::RuleKind::full);
        return rule ? rule->text : text;
    }
    if (property == "address") {
        const auto address = IpAddress::parse(text);
        return address ? address->to_string() : text;
    }
    if (known != nullptr && known->form == Form::time) {
        const auto seconds = routeros::parse_time(text);
        return seconds ? std::to_string(*seconds) : text;
    }
    return text;
}

std::string quoted_word(const std::string& text) {
    if (!text.empty() && text.find_first_of(" \"\\;$") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\' || c == '$') out += '\\';
        out += c;
    }
    return out + '"';
}

}  // namespace

Result<config::RecordFields> fields_of(std::span<const std::string> words) {
    config::RecordFields out;
    for (const std::string& word : words) {
        const auto equals = word.find('=');
        if (equals == std::string::npos || equals == 0)
            return Error{matchers::quoted(word) +
                         " is not a property: write PROPERTY=VALUE, as in name=nas.lan"};
        const std::string name = with(config::lowered(word.substr(0, equals)), '_', '-');
        const std::string value = word.substr(equals + 1);
        const Property* const property = find(name);
        if (property == nullptr) return unknown(name);
        const std::string key = with(name, '-', '_');
        if (find(out, key) != nullptr)
            return Error{"the property " + name + " is given twice: write it once"};
        if (value.size() > kMaxValueBytes)
            return Error{"the value of " + name + " is longer than " +
                         std::to_string(kMaxValueBytes) + " bytes"};
        if (std::ranges::any_of(value, is_control))
            return Error{"the value of " + name + " has a control character: remove it"};
        auto read = value_as(*property, value);
        if (!read) return std::move(read).error();
        out.emplace_back(key, *std::move(read));
    }
    return {boost::system::in_place_value, std::move(out)};
}

std::string value_of(const config::RecordFields& fields, std::string_view name) {
    if (name == "type") return type_of(fields);
    const Property* const property = find(name);
    if (property == nullptr) return {};
    const auto* const value = find(fields, with(name, '-', '_'));
    if (value == nullptr) return std::string(property->usual);
    return shown(*property, *value);
}

std::vector<std::pair<std::string, std::string>> properties_of(const config::RecordFields& fields) {
    std::vector<std::pair<std::string, std::string>> out{{"type", type_of(fields)}};
    for (const Property& property : kProperties) {
        const auto* const value = find(fields, with(property.name, '-', '_'));
        if (value != nullptr && property.name != "type")
            out.emplace_back(property.name, shown(property, *value));
    }
    return out;
}

std::string words_of(const config::RecordFields& fields) {
    std::string out;
    for (const auto& [property, value] : properties_of(fields))
        out += (out.empty() ? "" : " ") + property + "=" + quoted_word(value);
    return out;
}

bool matches(const config::RecordFields& record, const config::RecordFields& filter) {
    return std::ranges::all_of(filter, [&](const auto& wanted) {
        const std::string property = with(wanted.first, '_', '-');
        return normal(property, value_of(record, property)) ==
               normal(property, value_of(filter, property));
    });
}

std::vector<matchers::Rule> names_of(const config::RecordFields& fields, bool with_pointer) {
    std::vector<matchers::Rule> out;
    const auto* const expression = find(fields, "regexp");
    const std::string name = value_of(fields, "name");
    const std::string prefix = expression != nullptr                          ? "regexp:"
                               : value_of(fields, "match-subdomain") == "yes" ? "domain:"
                                                                              : "full:";
    auto rule = matchers::parse_rule(prefix + (expression != nullptr ? *expression : name),
                                     matchers::RuleKind::full);
    if (rule) out.push_back(*std::move(rule));
    const auto address = IpAddress::parse(value_of(fields, "address"));
    if (with_pointer && address) {
        const std::span<const std::uint8_t> bytes(
            address->is_v4() ? address->v4() : address->bytes.data(), address->is_v4() ? 4U : 16U);
        out.push_back({matchers::RuleKind::full, address->is_v4()
                                                     ? config::pointer_name_v4(bytes)
                                                     : config::pointer_name_v6(bytes)});
    }
    return out;
}

}  // namespace steer::records
