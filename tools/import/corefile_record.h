// The words that CoreDNS's plugins share: zones, types, expressions, and the records of `template`.
// Pure; no function throws.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace steer::importing {

// Returns the zone in lower case, without a final dot: "example.org.", or "10.0.0.0/8" (the zone of
// its addresses' names).
std::string core_zone(std::string_view text);
// Returns whether our parser accepts the name.
bool is_core_name(std::string_view name);
// Returns whether the text is a string of a TXT record that needs no escapes.
bool is_core_string(std::string_view text);
// Returns whether the word is a DNS type as CoreDNS writes it ("AAAA").
bool is_core_type(std::string_view word);

// Removes the final dot from the expression, or makes it optional: CoreDNS searches in
// "www.example.", but the daemon searches in "www.example".
std::string without_final_dot(std::string_view expression);
// Returns a rule for the names one label below `name`.
std::string expression_below(std::string_view name);

// The placeholder for {{ .Name }}.
inline constexpr std::string_view kAskedName = "\x01";
// Inserts the values of .Zone, .Class and .Type. Returns nothing if the text has other variables.
std::optional<std::string> fill_core_template(std::string_view text, const std::string& zone,
                                              const std::string& type);

// "www.example.org. 60 IN A 192.0.2.1"
struct CoreRecord {
    std::string owner, ttl_s, klass, type, data;
    std::string error;  // why the record is not supported; empty: it is supported
    [[nodiscard]] std::string text() const;
};
CoreRecord read_core_record(std::string_view text);

}  // namespace steer::importing
