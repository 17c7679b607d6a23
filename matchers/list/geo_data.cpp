#include "matchers/list/geo_data.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "matchers/list/wire_fields.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

struct Selector {
    std::string code;
    std::vector<std::string> attributes;  // all of them
    bool fits = false;                    // matched an entry
};

class Selection {
  public:
    explicit Selection(std::span<const std::string> written) : written_(written) {
        for (const std::string& text : written) {
            std::string low = lowered(text);
            auto at = low.find('@');
            Selector one{low.substr(0, at), {}};
            while (at != std::string::npos) {
                const auto next = low.find('@', at + 1);
                one.attributes.push_back(low.substr(at + 1, next - at - 1));
                at = next;
            }
            selectors_.push_back(std::move(one));
        }
    }

    bool wants_list(const std::string& code) const {
        return selectors_.empty() || std::any_of(selectors_.begin(), selectors_.end(),
                                                 [&](const Selector& s) { return s.code == code; });
    }
    // Whether a rule of a wanted list is selected; records the match.
    bool wants(const std::string& code, const std::vector<std::string>& attributes) {
        bool any = selectors_.empty();
        for (Selector& s : selectors_) {
            if (s.code != code) continue;
            const bool fits =
                std::all_of(s.attributes.begin(), s.attributes.end(), [&](const std::string& a) {
                    return std::find(attributes.begin(), attributes.end(), a) != attributes.end();
                });
            s.fits = s.fits || fits;
            any = any || fits;
        }
        return any;
    }
    std::vector<std::string> missing() const {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < selectors_.size(); ++i) {
            if (!selectors_[i].fits) out.push_back(written_[i]);
        }
        return out;
    }

  private:
    std::span<const std::string> written_;
    std::vector<Selector> selectors_;
};

Error no_data(std::string_view file, std::string_view what) {
    return Error{
        "this is not " + std::string(what) +
            " data, or it is incomplete: fetch the file again, and name the .dat file itself",
        std::string(file)};
}

// Calls `entry(code, message)` for each list of the file; false if the bytes are damaged.
template <class Visit>
bool for_each_list(std::string_view bytes, Visit visit) {
    constexpr std::uint32_t kEntry = 1, kCode = 1;
    WireFields file(bytes);
    bool any = false;
    while (const auto entry = file.next()) {
        if (entry->tag != kEntry || !entry->is_bytes) return false;
        any = true;
        std::string code;
        WireFields fields(entry->bytes);
        while (const auto field = fields.next()) {
            if (field->tag == kCode && field->is_bytes) code = lowered(field->bytes);
        }
        if (fields.damaged() || !visit(code, entry->bytes)) return false;
    }
    return any && !file.damaged();
}

struct Domain {
    std::uint64_t type = 0;
    std::string_view value;
    std::vector<std::string> attributes;
};

std::optional<Domain> domain_of(std::string_view message) {
    constexpr std::uint32_t kType = 1, kValue = 2, kAttribute = 3, kKey = 1;
    Domain out;
    WireFields fields(message);
    while (const auto field = fields.next()) {
        if (field->tag == kType && !field->is_bytes) out.type = field->number;
        if (field->tag == kValue && field->is_bytes) out.value = field->bytes;
        if (field->tag != kAttribute || !field->is_bytes) continue;
        WireFields attribute(field->bytes);
        while (const auto part = attribute.next()) {
            if (part->tag == kKey && part->is_bytes) out.attributes.push_back(lowered(part->bytes));
        }
        if (attribute.damaged()) return std::nullopt;
    }
    if (fields.damaged()) return std::nullopt;
    return out;
}

Result<Rule> rule_of(const Domain& domain) {
    constexpr RuleKind kKinds[] = {RuleKind::keyword, RuleKind::regexp, RuleKind::domain,
                                   RuleKind::full};
    if (domain.type >= std::size(kKinds))
        return Error{"a rule of the unknown kind " + std::to_string(domain.type)};
    const RuleKind kind = kKinds[domain.type];
    if (kind == RuleKind::regexp) {
        if (domain.value.empty()) return Error{"a regexp without an expression"};
        return Rule{kind, std::string(domain.value)};
    }
    if (domain.value.find(':') != std::string_view::npos)
        return Error{"a colon in the name " + quoted(domain.value)};
    return parse_rule(domain.value, kind);
}

std::optional<Prefix> prefix_of(std::string_view message) {
    constexpr std::uint32_t kAddress = 1, kLength = 2;
    constexpr std::uint64_t kBitsBefore = 96;  // an IPv4 address
    std::string_view address;
    std::uint64_t length = 0;
    WireFields fields(message);
    while (const auto field = fields.next()) {
        if (field->tag == kAddress && field->is_bytes) address = field->bytes;
        if (field->tag == kLength && !field->is_bytes) length = field->number;
    }
    if (fields.damaged()) return std::nullopt;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(address.data());
    if (address.size() == 4 && length <= 32)
        return Prefix::masked(IpAddress::from_v4(bytes),
                              static_cast<unsigned>(kBitsBefore + length));
    if (address.size() == 16 && length <= 128)
        return Prefix::masked(IpAddress::from_v6(bytes), static_cast<unsigned>(length));
    return std::nullopt;
}

bool is_inverse(std::string_view list) {
    constexpr std::uint32_t kInverse = 3;
    bool inverse = false;
    WireFields fields(list);
    while (const auto field = fields.next()) {
        if (field->tag == kInverse) inverse = field->number != 0;
    }
    return inverse;
}

}  // namespace

Result<GeoRules> read_geosite(std::string_view bytes, std::string_view file,
                              std::span<const std::string> selectors) {
    constexpr std::uint32_t kDomain = 2;
    GeoRules out{{{}, BadLines(file)}, {}};
    Selection selection(selectors);
    int number = 0;
    const bool whole = for_each_list(bytes, [&](const std::string& code, std::string_view list) {
        const bool wanted = selection.wants_list(code);
        WireFields fields(list);
        while (const auto field = fields.next()) {
            if (field->tag != kDomain) continue;
            ++number;
            if (!wanted) continue;
            const auto domain = field->is_bytes ? domain_of(field->bytes) : std::nullopt;
            if (!domain) return false;
            if (!selection.wants(code, domain->attributes)) continue;
            if (auto rule = rule_of(*domain)) {
                out.list.rules.push_back({*std::move(rule), number});
            } else {
                out.list.bad.add({"in the list " + quoted(code) + ": " + rule.error().text},
                                 number);
            }
        }
        return true;
    });
    if (!whole) return no_data(file, "geosite");
    out.missing = selection.missing();
    return {boost::system::in_place_value, std::move(out)};
}

Result<GeoPrefixes> read_geoip(std::string_view bytes, std::string_view file,
                               std::span<const std::string> selectors) {
    constexpr std::uint32_t kCidr = 2;
    GeoPrefixes out{{{}, BadLines(file)}, {}};
    Selection selection(selectors);
    int number = 0;
    const bool whole = for_each_list(bytes, [&](const std::string& code, std::string_view list) {
        bool wanted = selection.wants_list(code);
        if (wanted && is_inverse(list)) {
            wanted = false;
            out.list.bad.add({"the list " + quoted(code) +
                              " means all addresses but its own, which is not supported"},
                             number);
        }
        WireFields fields(list);
        while (const auto field = fields.next()) {
            if (field->tag != kCidr) continue;
            ++number;
            if (!wanted || !selection.wants(code, {})) continue;
            const auto prefix = field->is_bytes ? prefix_of(field->bytes) : std::nullopt;
            if (prefix) {
                out.list.prefixes.push_back({*prefix, number});
            } else {
                out.list.bad.add({"in the list " + quoted(code) + ": an invalid prefix"}, number);
            }
        }
        return true;
    });
    if (!whole) return no_data(file, "geoip");
    out.missing = selection.missing();
    return {boost::system::in_place_value, std::move(out)};
}

}  // namespace steer::matchers
