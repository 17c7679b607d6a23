#include "matchers/list/rpz_zone.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "matchers/list/lines.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

constexpr std::uint32_t kRpzTtlS = 3600;  // of a zone without $TTL

struct TriggerLabel {
    std::string_view label;
    RpzRecord::Trigger trigger;
};
constexpr std::array kTriggerLabels{TriggerLabel{"rpz-client-ip", RpzRecord::Trigger::client},
                                    TriggerLabel{"rpz-ip", RpzRecord::Trigger::address},
                                    TriggerLabel{"rpz-nsdname", RpzRecord::Trigger::ns_name},
                                    TriggerLabel{"rpz-nsip", RpzRecord::Trigger::ns_address}};

// Records of a signed zone that are not policy.
bool is_of_dnssec(std::string_view type) {
    constexpr std::array<std::string_view, 7> kTypes{"rrsig",  "nsec", "nsec3",  "nsec3param",
                                                     "dnskey", "cds",  "cdnskey"};
    return std::ranges::find(kTypes, type) != kTypes.end();
}

bool is_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_digit);
}

// The labels of a name, last one first.
std::vector<std::string_view> labels_from_end(std::string_view name) {
    std::vector<std::string_view> out;
    while (!name.empty()) {
        const auto dot = name.rfind('.');
        out.push_back(dot == std::string_view::npos ? name : name.substr(dot + 1));
        name = dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
    }
    return out;
}

// Digits without leading zeros, at most `most`.
std::optional<unsigned> rpz_decimal(std::string_view text, unsigned most) {
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    unsigned value = 0;
    for (const char c : text) {
        if (!is_digit(c)) return std::nullopt;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (value > most) return std::nullopt;
    return value;
}

std::optional<unsigned> rpz_group(std::string_view text) {
    if (text.empty() || text.size() > 4) return std::nullopt;
    unsigned value = 0;
    for (const char c : text) {
        const char low = lower(c);
        if (is_digit(low)) {
            value = value * 16 + static_cast<unsigned>(low - '0');
        } else if (low >= 'a' && low <= 'f') {
            value = value * 16 + static_cast<unsigned>(low - 'a' + 10);
        } else {
            return std::nullopt;
        }
    }
    return value;
}

std::optional<IpAddress> rpz_v4(std::span<const std::string_view> labels) {
    std::array<std::uint8_t, 4> bytes{};
    for (std::size_t i = 0; i < 4; ++i) {
        const auto octet = rpz_decimal(labels[i], 255);
        if (!octet) return std::nullopt;
        bytes[i] = static_cast<std::uint8_t>(*octet);
    }
    return IpAddress::from_v4(bytes.data());
}

// "zz" once in place of one group of zeros or more.
std::optional<IpAddress> rpz_v6(std::span<const std::string_view> labels) {
    const auto zeros = std::ranges::find(labels, "zz");
    const bool has_zeros = zeros != labels.end();
    if (labels.size() > 8 || (!has_zeros && labels.size() != 8)) return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    std::size_t at = 0;
    for (const std::string_view& label : labels) {
        if (has_zeros && &label == &*zeros) {
            at += 9 - labels.size();
            continue;
        }
        const auto group = rpz_group(label);
        if (!group) return std::nullopt;
        bytes[at * 2] = static_cast<std::uint8_t>(*group >> 8);
        bytes[at * 2 + 1] = static_cast<std::uint8_t>(*group & 0xff);
        ++at;
    }
    return IpAddress::from_v6(bytes.data());
}

std::optional<std::uint32_t> serial_from(std::string_view text) {
    std::uint32_t serial = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), serial);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(serial)
                                                                    : std::nullopt;
}

class RpzZoneReader {
  public:
    RpzZoneReader(std::string_view file, std::string_view name,
                  const std::function<void(const RpzRecord&)>& visit)
        : bad_(file),
          visit_(visit),
          zone_(lowered(name)),
          origin_(zone_),
          has_zone_(!name.empty()) {}

    void read(const ZoneEntry& entry) {
        if (!entry.error.empty()) return bad(entry, entry.error + ": remove it or add the other");
        if (entry.words.front().text.starts_with('$')) return directive(entry);
        std::span<const ZoneWord> words = entry.words;
        if (entry.has_owner) {
            owner_ = lowered(absolute_zone_name(words[0].text, origin_));
            has_owner_ = true;
            words = words.subspan(1);
        }
        if (!has_owner_) return bad(entry, "a record without a name: write one before it");
        record(entry, words);
    }

    BadLines finish() && { return std::move(bad_); }
    [[nodiscard]] std::optional<std::uint32_t> serial() const { return serial_; }
    void refuse(Error error) { bad_.add(std::move(error), 1); }

  private:
    void bad(const ZoneEntry& entry, std::string text) { bad_.add({std::move(text)}, entry.line); }

    void directive(const ZoneEntry& entry) {
        const std::string& what = entry.words[0].text;
        const std::string value = entry.words.size() == 2 ? entry.words[1].text : "";
        if (what == "$ORIGIN" && !value.empty()) {
            origin_ = lowered(absolute_zone_name(value, origin_));
            if (!has_zone_ && !has_origin_) zone_ = origin_;
            has_origin_ = true;
        } else if (const auto ttl = zone_ttl_s(value); what == "$TTL" && ttl) {
            ttl_s_ = *ttl;
        } else {
            bad(entry, quoted(what) + ": expected a record, '$ORIGIN NAME', or '$TTL SECONDS'");
        }
    }

    void record(const ZoneEntry& entry, std::span<const ZoneWord> words) {
        RpzRecord out;
        out.ttl_s = ttl_s_;
        out.line = entry.line;
        for (; !words.empty(); words = words.subspan(1)) {
            const std::string& word = words[0].text;
            if (const auto ttl = zone_ttl_s(word)) {
                out.ttl_s = *ttl;
            } else if (lowered(word) != "in") {
                break;
            }
        }
        if (words.empty()) return bad(entry, "no type of a record behind " + quoted(owner_));
        out.type = lowered(words[0].text);
        out.data = words.subspan(1);
        out.origin = origin_;
        if (out.type == "soa") {
            begin_zone();
            if (!serial_ && out.data.size() > 2) serial_ = serial_from(out.data[2].text);
        }
        if (owner_ == zone_ || is_of_dnssec(out.type)) return;
        if (out.type == "ns" || out.type == "ds" || out.type == "dname" || out.type == "soa")
            return bad(entry, "a record of type " + quoted(words[0].text) + " at " +
                                  quoted(owner_) + " is not a policy: remove it");
        if (!set_trigger(entry, out)) return;
        if (out.type == "cname") {
            if (!set_action(entry, out)) return;
        } else {
            out.action = RpzRecord::Action::data;
        }
        visit_(out);
    }

    // The owner of the first SOA is the zone, unless `zone_name` is given.
    void begin_zone() {
        if (has_zone_) return;
        zone_ = owner_;
        has_zone_ = true;
    }

    [[nodiscard]] bool is_in_zone(std::string_view name) const {
        return zone_.empty() || (name.size() > zone_.size() && name.ends_with(zone_) &&
                                 name[name.size() - zone_.size() - 1] == '.');
    }

    bool set_trigger(const ZoneEntry& entry, RpzRecord& out) {
        const auto refuse = [&](std::string text) {
            bad(entry, std::move(text));
            return false;
        };
        if (!is_in_zone(owner_))
            return refuse(quoted(owner_) + " is not in the zone " + quoted(zone_) +
                          ": write it below that name, or without a last dot");
        std::string_view name = owner_;
        if (!zone_.empty()) name.remove_suffix(zone_.size() + 1);
        out.owner = name;
        const auto dot = name.rfind('.');
        const std::string_view last = dot == std::string_view::npos ? name : name.substr(dot + 1);
        const std::string_view front =
            dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
        const auto known = std::ranges::find(kTriggerLabels, last, &TriggerLabel::label);
        if (known != kTriggerLabels.end()) {
            out.trigger = known->trigger;
            if (out.trigger == RpzRecord::Trigger::ns_name) return true;
            const auto prefix = parse_rpz_prefix(front);
            if (!prefix) return refuse(prefix.error().text);
            out.prefix = prefix->prefix;
            out.is_v4 = prefix->is_v4;
            return true;
        }
        if (last.starts_with("rpz-"))
            return refuse(quoted(last) + " at the end of " + quoted(name) + " is not a trigger");
        if (name == "*") {
            out.trigger = RpzRecord::Trigger::below;
        } else if (name.starts_with("*.")) {
            out.trigger = RpzRecord::Trigger::below;
            out.name = name.substr(2);
        } else {
            out.name = name;
        }
        return true;
    }

    bool set_action(const ZoneEntry& entry, RpzRecord& out) {
        const auto refuse = [&](std::string text) {
            bad(entry, std::move(text));
            return false;
        };
        if (out.data.size() != 1)
            return refuse("a CNAME with " + std::to_string(out.data.size()) +
                          " names: expected one, as in 'bad.example CNAME .'");
        const std::string target = lowered(absolute_zone_name(out.data[0].text, origin_));
        constexpr std::array<std::pair<std::string_view, RpzRecord::Action>, 5> kActions{
            {{"", RpzRecord::Action::nxdomain},
             {"*", RpzRecord::Action::nodata},
             {"rpz-passthru", RpzRecord::Action::passthru},
             {"rpz-drop", RpzRecord::Action::drop},
             {"rpz-tcp-only", RpzRecord::Action::tcp_only}}};
        for (const auto& [text, action] : kActions) {
            if (target != text) continue;
            out.action = action;
            return true;
        }
        if (target.starts_with("rpz-") && target.find('.') == std::string::npos)
            return refuse(quoted(target + ".") +
                          " is not an action: expected rpz-passthru., rpz-drop. or rpz-tcp-only.");
        if (out.trigger != RpzRecord::Trigger::below &&
            target == out.owner) {  // the old form of passthru
            out.action = RpzRecord::Action::passthru;
            return true;
        }
        if (!zone_.empty() && is_in_zone(target))
            return refuse("the target " + quoted(target) +
                          " is inside the zone: end the name with a dot");
        const bool is_below = target.starts_with("*.");
        out.action = is_below ? RpzRecord::Action::alias_below : RpzRecord::Action::alias;
        out.target = is_below ? target.substr(2) : target;
        return true;
    }

    BadLines bad_;
    const std::function<void(const RpzRecord&)>& visit_;
    std::string zone_, origin_, owner_;  // without a last dot; empty: the root
    bool has_zone_, has_origin_ = false, has_owner_ = false;
    std::uint32_t ttl_s_ = kRpzTtlS;
    std::optional<std::uint32_t> serial_;
};

}  // namespace

Result<RpzPrefix> parse_rpz_prefix(std::string_view text) {
    const auto refuse = [&] {
        return Error{quoted(text) +
                     " is not a prefix: expected its length and the address from its end, as in "
                     "'24.0.2.0.192' or '32.zz.db8.2001'"};
    };
    const auto labels = labels_from_end(text);
    if (labels.size() < 2 || !is_digits(labels.back())) return refuse();
    const std::span<const std::string_view> parts(labels.data(), labels.size() - 1);
    const bool is_v4 = parts.size() == 4 && std::ranges::all_of(parts, is_digits);
    const auto address = is_v4 ? rpz_v4(parts) : rpz_v6(parts);
    const auto length = rpz_decimal(labels.back(), is_v4 ? 32 : 128);
    if (!address || !length) return refuse();
    const unsigned whole = *length + (is_v4 ? 96 : 0);
    const Prefix prefix = Prefix::masked(*address, whole);
    if (!(prefix.address == *address))
        return Error{quoted(text) + " has host bits set: write it as the prefix " +
                     prefix.to_string()};
    return RpzPrefix{prefix, is_v4};
}

BadLines read_rpz_zone(std::string_view bytes, std::string_view file, std::string_view zone_name,
                       const std::function<void(const RpzRecord&)>& visit,
                       std::optional<std::uint32_t>* serial) {
    RpzZoneReader zone(file, zone_name, visit);
    if (auto error = not_utf8(bytes)) {
        zone.refuse(*std::move(error));
        return std::move(zone).finish();
    }
    ZoneEntries entries(bytes);
    while (const auto entry = entries.next())
        zone.read(*entry);
    if (serial != nullptr) *serial = zone.serial();
    return std::move(zone).finish();
}

}  // namespace steer::matchers
