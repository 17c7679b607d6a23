#include <algorithm>
#include <array>

#include "tools/import/corefile_record.h"
#include "tools/import/unbound_import.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

struct LocalZoneType {
    std::string_view name, exec;
    bool hides_records = false, is_redirect = false, keeps_other_types = false;
};
constexpr std::array<LocalZoneType, 17> kLocalZoneTypes{{
    {"deny", "drop"},
    {"refuse", "reject REFUSED"},
    {"static", "black_hole nxdomain short_circuit"},
    {"transparent", ""},
    {"typetransparent", "", false, false, true},
    {"redirect", "black_hole nodata short_circuit", false, true},
    {"inform", ""},
    {"inform_deny", "drop"},
    {"inform_redirect", "black_hole nodata short_circuit", false, true},
    {"always_transparent", "", true},
    {"always_refuse", "reject REFUSED", true},
    {"always_nxdomain", "black_hole nxdomain short_circuit", true},
    {"always_nodata", "black_hole nodata short_circuit", true},
    {"always_deny", "drop", true},
    {"always_null", "black_hole null short_circuit", true},
    {"noview", ""},
    {"nodefault", ""},
}};

class UnboundNamesReader {
  public:
    explicit UnboundNamesReader(ResolverModel& out) : out_(out) {}

    void take(const UnboundOption& option) {
        option_ = &option;
        if (option.name == "local-zone") zone();
        if (option.name == "local-data") data(option.args.front());
        if (option.name == "local-data-ptr") pointer();
    }

  private:
    void leave_out(std::string_view why) { leave_out_unbound(out_, *option_, why); }

    void zone() {
        const std::string& type = option_->args[1];
        const auto name = zone_name(option_->args[0]);
        if (!name) return leave_out("the name " + name_error(option_->args[0]));
        const auto* const known = std::ranges::find(kLocalZoneTypes, type, &LocalZoneType::name);
        if (known == kLocalZoneTypes.end())
            return leave_out("zones of type " + in_quotes(type) + " are not supported");
        if (type == "nodefault") return resolved(*name);
        LocalZone zone;
        zone.place = option_->place;
        zone.exec = known->exec;
        zone.hides_records = known->hides_records;
        zone.is_redirect = known->is_redirect;
        zone.keeps_other_types = known->keeps_other_types;
        out_.zones[*name == "." ? "" : *name] = std::move(zone);
    }

    // A zone that unbound answers by default, and now does not.
    void resolved(const std::string& name) {
        out_.extra.push_back("local-zone: \"" + name + "\" nodefault");
        const std::string special = special_name(name);
        auto& all = out_.resolve_special;
        if (!special.empty() && std::ranges::find(all, special) == all.end())
            all.push_back(special);
    }

    void data(const std::string& text) {
        const CoreRecord record = read_core_record(text);
        if (!record.error.empty()) return leave_out("the record " + record.error);
        if (record.klass != "IN" || record.type == "SOA")
            return leave_out("its zone has an SOA of its own here, and only class IN");
        const std::string owner = plain_name(record.owner);
        if (record.type != "A" && record.type != "AAAA" && record.type != "CNAME") {
            out_.other_records.push_back(record.text());
            out_.other_owners.push_back(owner);
            return;
        }
        Record out;
        out.name = owner;
        out.place = option_->place;
        if (record.type != "A") out.type = record.type;
        if (record.type == "CNAME") {
            out.alias = plain_name(record.data);
            out.data.add("cname", out.alias);
        } else {
            out.data.add("address", record.data);
        }
        out.data.add("ttl", record.ttl_s + "s");
        out_.records.push_back(std::move(out));
    }

    // "192.0.2.1 www.example", with a TTL between them or not.
    void pointer() {
        const auto words = split(option_->args.front(), ' ');
        const bool has_ttl = words.size() == 3;
        constexpr std::uint64_t kMostTtl = 2'147'483'647;
        if ((words.size() != 2 && !has_ttl) || (!is_v4(words[0]) && !is_v6(words[0])) ||
            (has_ttl && !parse_number(words[1], kMostTtl)))
            return leave_out("expected an address and a name");
        if (const std::string why = name_error(words.back()); !why.empty())
            return leave_out("the name " + in_quotes(words.back()) + " " + why);
        const std::string owner = pointer_name(words[0]);
        out_.other_records.push_back(owner + ". " + (has_ttl ? words[1] : "3600") + " IN PTR " +
                                     plain_name(words.back()) + ".");
        out_.other_owners.push_back(owner);
    }

    ResolverModel& out_;
    const UnboundOption* option_ = nullptr;
};

}  // namespace

void read_unbound_names(const std::vector<UnboundOption>& options, ResolverModel& out) {
    UnboundNamesReader reader(out);
    for (const UnboundOption& option : options)
        reader.take(option);
}

}  // namespace steer::importing
