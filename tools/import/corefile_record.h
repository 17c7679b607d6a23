// Words that CoreDNS's plugins share: zones, types, expressions, and the records of `template`.
// Pure; nothing here throws.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace steer::importing {

// "example.org.", "10.0.0.0/8" (the zone of its addresses' names): in lower case, without a last dot.
std::string core_zone(std::string_view text);
// A name that our parser takes.
bool is_core_name(std::string_view name);
// A string of a TXT record that needs no escapes.
bool is_core_string(std::string_view text);
// A type of the DNS by name, as CoreDNS writes it ("AAAA").
bool is_core_type(std::string_view word);

// CoreDNS searches in "www.example.", we in "www.example": the last dot is left out of the expression, or is optional.
std::string without_final_dot(std::string_view expression);
// A rule for the names one label below.
std::string expression_below(std::string_view name);

// Stands for {{ .Name }}.
inline constexpr std::string_view kAskedName = "\x01";
// With the values of .Zone, .Class and .Type; nothing: it has other variables.
std::optional<std::string> fill_core_template(std::string_view text, const std::string& zone,
                                              const std::string& type);

// "www.example.org. 60 IN A 192.0.2.1"
struct CoreRecord {
    std::string owner, ttl_s, klass, type, data;
    std::string trouble;  // why it is not supported; empty: it is
    [[nodiscard]] std::string text() const;
};
CoreRecord read_core_record(std::string_view text);

}  // namespace steer::importing
