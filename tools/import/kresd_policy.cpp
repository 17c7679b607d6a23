#include <algorithm>
#include <array>

#include "tools/import/dnsmasq_domains.h"
#include "tools/import/kresd_import.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

struct KresdAction {
    std::string_view name, exec;
};
constexpr std::array<KresdAction, 6> kKresdActions{{
    {"policy.PASS", ""},
    {"policy.DENY", "black_hole nxdomain short_circuit"},
    {"policy.DENY_MSG", "black_hole nxdomain short_circuit"},
    {"policy.NO_ANSWER", "drop"},
    {"policy.DROP", "drop"},
    {"policy.REFUSE", "reject REFUSED"},
}};

const KresdAction* find_kresd_action(const LuaValue& value) {
    const auto* const at = std::ranges::find_if(
        kKresdActions, [&](const KresdAction& action) { return value.text == action.name; });
    const bool is_named = value.kind == LuaValue::Kind::name || value.kind == LuaValue::Kind::call;
    return is_named && at != kKresdActions.end() ? &*at : nullptr;
}

class KresdPolicyReader {
  public:
    KresdPolicyReader(const KresdPlace& place, const FileTest& is_there,
                      std::set<std::string>& decided)
        : place_(place), out_(place.out), is_there_(is_there), decided_(decided) {}

    void read(const LuaValue& rule) {
        if (rule.is_call("policy.all") && rule.items.size() == 1)
            return apply(rule.items[0], {"."});
        const bool is_suffix = rule.is_call("policy.suffix") ||
                               rule.is_call("policy.suffix_common") ||
                               rule.is_call("policy.domains");
        if (is_suffix && rule.items.size() >= 2) {
            if (rule.is_call("policy.domains"))
                place_.note("names below the domains of 'policy.domains' count as well");
            const auto zones = names(rule.items[1]);
            if (zones.empty()) return place_.leave_out("its domains are not known");
            return apply(rule.items[0], zones);
        }
        if (rule.is_call("policy.rpz") && rule.items.size() >= 2 && rule.items[1].is_text())
            return zone_file(rule.items[1].text);
        place_.leave_out("rules of this form are not supported");
    }

  private:
    // {todname('a'), 'b'}, policy.todnames({...})
    std::vector<std::string> names(const LuaValue& value) {
        std::vector<std::string> out;
        const bool is_wrapper = value.is_call("policy.todnames") ||
                                value.is_call("kres.str2dname") || value.is_call("todname");
        if (value.is_text()) {
            std::string_view text = value.text;
            while (text.ends_with('.') && text.size() > 1)
                text.remove_suffix(1);
            if (const auto name = zone_name(text); name) {
                out.push_back(*name);
            } else {
                place_.note("the name " + in_quotes(value.text) + " is not imported: it " +
                            name_error(text));
            }
        } else if (is_wrapper || value.is_table()) {
            for (const LuaValue& item : value.items) {
                const auto inner = names(item);
                out.insert(out.end(), inner.begin(), inner.end());
            }
        }
        return out;
    }

    void apply(const LuaValue& action, const std::vector<std::string>& zones) {
        if (const KresdAction* const known = find_kresd_action(action); known != nullptr) {
            for (const std::string& zone : zones) {
                if (is_free(zone)) answer(zone, known->exec);
            }
            return;
        }
        const bool is_forward = action.is_call("policy.FORWARD"),
                   is_tls = action.is_call("policy.TLS_FORWARD"),
                   is_stub = action.is_call("policy.STUB");
        if ((!is_forward && !is_tls && !is_stub) || action.items.empty())
            return place_.leave_out("its action is not supported");
        std::vector<LuaValue> servers{action.items[0]};
        if (servers[0].is_table() && (!is_tls || has_tables(servers[0])))
            servers = std::vector<LuaValue>(action.items[0].items);
        for (const std::string& zone : zones) {
            if (!is_free(zone)) continue;
            if (is_tls || zone == ".") {
                route(zone, servers, is_tls);
            } else {
                engine_zone(zone, servers, is_stub);
            }
        }
    }

    // False: an earlier rule of kresd decides about the zone, which is noted.
    bool is_free(const std::string& zone) {
        bool is_decided = decided_.contains(".");
        for (std::string_view name = zone; !is_decided && !name.empty(); name = parent_of(name))
            is_decided = decided_.contains(std::string(name));
        if (is_decided) place_.leave_out("an earlier rule decides about " + in_quotes(zone));
        decided_.insert(zone);
        return !is_decided;
    }

    static bool has_tables(const LuaValue& value) {
        return !value.items.empty() && value.items[0].is_table();
    }

    void answer(const std::string& zone, std::string_view exec) {
        const std::string name = zone == "." ? "" : zone;

        LocalZone local;
        local.place = line_place(place_.statement.line);
        local.exec = exec;
        local.hides_records = !exec.empty();
        out_.zones[name] = std::move(local);
    }

    std::optional<ServerText> server(const LuaValue& value) {
        const LuaValue& address = value.is_table() && !value.items.empty() ? value.items[0] : value;
        auto out = address.is_text() ? read_server_text(address.text) : std::nullopt;
        if (!out) {
            place_.note(in_quotes(address.text) + " is not the address of a server");
            return std::nullopt;
        }
        const LuaValue* const host = value.find("hostname");
        if (host != nullptr && host->is_text() && !host->text.empty() && is_host_name(host->text))
            out->name = host->text;
        for (const std::string_view key : {"pin_sha256", "ca_file", "insecure"}) {
            if (value.find(key) != nullptr)
                place_.note(in_quotes(key) +
                            " is not imported: write 'pins' or 'ca' of the "
                            "upstream");
        }
        return out;
    }

    static std::string address_of(const ServerText& server) {
        return server.port == 0 || server.port == 53 ? server.address
                                                     : with_port(server.address, server.port);
    }

    void route(const std::string& zone, const std::vector<LuaValue>& servers, bool is_tls) {
        Route out;
        out.zone = zone == "." ? "" : zone;

        const std::string at = line_place(place_.statement.line);
        for (const LuaValue& value : servers) {
            const auto read = server(value);
            if (!read) continue;
            Upstream upstream;
            upstream.addr = address_of(*read);
            out.forward.upstreams.push_back(is_tls ? tls_upstream(*read, at) : std::move(upstream));
        }
        if (out.forward.upstreams.empty()) return place_.leave_out("it has no server");
        out.forward.notes.push_back(
            {at, std::string("answers of this forward are not validated here: set 'trust_ad' of "
                             "upstreams that validate") +
                     (is_tls ? "" : ", or write 'forwards' of a recursion instead")});
        out_.routes.push_back(std::move(out));
    }

    void engine_zone(const std::string& zone, const std::vector<LuaValue>& servers, bool is_stub) {
        auto& all = is_stub ? out_.stubs : out_.forwards;

        std::vector<std::string> found;
        for (const LuaValue& value : servers) {
            if (const auto read = server(value)) found.push_back(address_of(*read));
        }
        if (found.empty()) return place_.leave_out("it has no server");
        all[zone] = std::move(found);
        // kresd asks a stub's server once, without validation.
        if (is_stub) out_.negative_trust_anchors.push_back(zone);
        const std::string special = special_name(zone);
        auto& resolved = out_.resolve_special;
        if (!special.empty() && std::ranges::find(resolved, special) == resolved.end())
            resolved.push_back(special);
    }

    void zone_file(const std::string& file) {
        if (!file.starts_with('/') || !is_there_(file))
            return place_.leave_out("the file is not on this machine, or has no absolute path");
        CopiedZone copy;
        copy.name = "rpz" + std::to_string(out_.copies.size() + 1);
        copy.source = file;
        copy.is_policy = true;
        out_.copies.push_back(std::move(copy));
    }

    const KresdPlace& place_;
    ResolverModel& out_;
    const FileTest& is_there_;
    std::set<std::string>& decided_;
};

}  // namespace

void read_kresd_policy(const LuaValue& rule, const KresdPlace& place, const FileTest& is_there,
                       std::set<std::string>& decided) {
    KresdPolicyReader(place, is_there, decided).read(rule);
}

void read_kresd_view(const LuaValue& call, const KresdPlace& place) {
    const bool has_rule = call.items.size() == 2 && call.items[0].is_text() &&
                          call.items[1].is_call("policy.all") && call.items[1].items.size() == 1;
    const KresdAction* const action =
        has_rule ? find_kresd_action(call.items[1].items[0]) : nullptr;
    const auto net = has_rule ? network_of(call.items[0].text) : std::nullopt;
    if (action == nullptr || !net)
        return place.leave_out("write rules with 'client_ip' in the sequence");
    const bool is_known = std::ranges::any_of(
        place.out.networks, [&](const auto& known) { return is_within(*net, known.net); });
    if (is_known) return place.leave_out("an earlier rule decides");
    const std::string_view exec = action->exec;
    const bool is_denial = exec.starts_with("black_hole");
    place.out.networks.push_back({*net, std::string(is_denial ? "reject REFUSED" : exec)});
}

void read_kresd_hints(const LuaStatement& statement, const KresdPlace& place,
                      const FileTest& is_there) {
    const auto add = [&](std::string_view name_text, const std::string& address) {
        if (!is_v4(address) && !is_v6(address))
            return place.leave_out("expected a name and an address");
        if (const std::string why = name_error(name_text); !why.empty())
            return place.leave_out("the name " + why);
        Record record;
        record.name = plain_name(name_text);
        record.place = line_place(statement.line);
        if (is_v6(address)) record.type = "AAAA";
        record.data.add("address", address).add("ttl", "5s");
        place.out.records.push_back(std::move(record));
    };
    const LuaValue& value = statement.value;
    if (statement.target.starts_with("hints[") && value.is_text())
        return add(statement.target.substr(6, statement.target.size() - 7), value.text);
    const bool has_text = value.items.size() == 1 && value.items[0].is_text();
    if (value.is_call("hints.set") && has_text) {
        const auto words = split(value.items[0].text, ' ');
        if (words.size() == 2) return add(words[0], words[1]);
    }
    if (value.is_call("hints.add_hosts") || value.is_call("hints.config")) {
        const std::string file = has_text ? value.items[0].text : "/etc/hosts";
        return place.leave_out("write the lines of " + in_quotes(file) +
                               " as 'NAME ADDRESS' into a file, and name it in a plugin of type "
                               "hosts");
    }
    if (value.is_call("hints.root_file") && has_text) {
        const std::string& file = value.items[0].text;
        if (!file.starts_with('/') || file.find_first_of("\"\\\n\r") != std::string::npos ||
            !is_there(file))
            return place.leave_out("the file is not on this machine");
        place.out.root_hints = file;
        return;
    }
    if (value.is_call("hints.use_nodata") || value.is_call("hints.ttl"))
        return place.out.silent.push_back(value.text);
    place.leave_out("it is not supported");
}

}  // namespace steer::importing
