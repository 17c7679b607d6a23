// /ip/dns/static: each row becomes a record of a `static` plugin.
#include <algorithm>
#include <array>
#include <map>

#include "tools/import/ros_import.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

const std::vector<std::string_view> kProperties{
    "name",         "regexp",          "type",        "address",       "address-list", "cname",
    "forward-to",   "match-subdomain", "mx-exchange", "mx-preference", "ns",           "srv-port",
    "srv-priority", "srv-weight",      "srv-target",  "text",          "ttl",          "disabled",
    "comment",      "place-before"};

constexpr std::uint64_t kMaxTtlMs = std::uint64_t{3650} * 86'400'000;

class StaticReader {
  public:
    StaticReader(const RosDns& dns, const Forwarders& forwarders)
        : dns_(dns), forwarders_(forwarders) {}

    Statics read() {
        for (const RosRow& row : dns_.statics)
            read_row(row);
        note_main_rows();
        const auto circles = drop_circles(out_.records);
        out_.notes.insert(out_.notes.end(), circles.begin(), circles.end());
        return std::move(out_);
    }

  private:
    void read_row(const RosRow& row) {
        row_ = &row;
        if (row.is_true("dynamic")) return leave_out("it is dynamic: the router creates it");
        record_ = Record{};
        record_.place = row.place;
        record_.notes = unknown_properties(row, kProperties);
        record_.disabled = row.is_true("disabled");
        if (!owner() || !data()) return;
        address_list();
        ttl();
        if (const std::string* const comment = row.find("comment"))
            record_.data.add("comment", *comment);
        if (is_forwarded_) allow();
        out_.records.push_back(std::move(record_));
    }

    void leave_out(const std::string& why) {
        const std::string name = row_->get("name", row_->get("regexp"));
        out_.notes.push_back(
            {row_->place, "the static entry " + in_quotes(name) + " is not imported: " + why});
    }
    bool refuse(const std::string& why) {
        leave_out(why);
        return false;
    }

    bool owner() {
        if (const std::string* const expression = row_->find("regexp")) {
            const std::string why = expression_error(*expression);
            if (!why.empty()) return refuse("its regexp " + why);
            record_.owner = Record::Owner::expression;
            record_.name = *expression;
            note_capitals(*expression);
            return true;
        }
        const std::string name = row_->get("name");
        if (const std::string why = name_error(name); !why.empty())
            return refuse("its name " + why);
        record_.name = plain_name(name);
        if (row_->is_true("match-subdomain")) record_.owner = Record::Owner::subdomains;
        return true;
    }

    // RouterOS compares a name in lower case with the expression as it is written.
    void note_capitals(const std::string& expression) {
        for (std::size_t i = 0; i < expression.size(); ++i) {
            const bool is_capital = expression[i] >= 'A' && expression[i] <= 'Z';
            if (!is_capital || (i > 0 && expression[i - 1] == '\\')) continue;
            record_.notes.push_back({row_->place, "the regexp " + in_quotes(expression) +
                                                      " has capital letters, so RouterOS never "
                                                      "matches it; steerdnsd ignores case"});
            return;
        }
    }

    bool data() {
        is_forwarded_ = false;
        const std::string type = row_->get("type", "A");
        record_.type = type;
        if (type == "A" || type == "AAAA") return address(type);
        if (type == "CNAME") {
            if (!target("cname")) return false;
            record_.alias = plain_name(row_->get("cname"));
            return true;
        }
        if (type == "NS") return target("ns");
        if (type == "NXDOMAIN") return true;
        if (type == "MX") return number("mx-preference") && target("mx-exchange");
        if (type == "SRV")
            return number("srv-priority") && number("srv-weight") && number("srv-port") &&
                   target("srv-target");
        if (type == "TXT") {
            const std::string* const text = row_->find("text");
            if (text == nullptr) return refuse("its text is missing");
            record_.data.add("text", *text);
            return true;
        }
        if (type == "FWD") return forward();
        return refuse("its type " + in_quotes(type) + " is not supported");
    }

    bool address(const std::string& type) {
        const std::string address = row_->get("address");
        // Before 6.47, a row has no type.
        const bool is_six = is_v6(address) && (type == "AAAA" || row_->find("type") == nullptr);
        if (!is_six && !(type == "A" && is_v4(address)))
            return refuse(address.empty()
                              ? "its address is missing"
                              : "its address " + in_quotes(address) + " does not fit type " + type);
        record_.type = is_six ? "AAAA" : "";  // the default, A
        record_.data.add("address", address);
        return true;
    }

    static std::string key_of(std::string_view property) {
        std::string key(property);
        std::ranges::replace(key, '-', '_');
        return key;
    }

    bool target(std::string_view property) {
        const std::string name = row_->get(property);
        if (const std::string why = name_error(name); !why.empty())
            return refuse("its " + std::string(property) + " " + why);
        record_.data.add(key_of(property), plain_name(name));
        return true;
    }

    bool number(std::string_view property) {
        const std::string text = row_->get(property, "0");
        if (!parse_number(text, 65'535))
            return refuse("its " + std::string(property) + " " + in_quotes(text) +
                          " is not a number within 0..65535");
        if (text != "0") record_.data.add(key_of(property), text);
        return true;
    }

    bool forward() {
        is_forwarded_ = true;
        const std::string* const to = row_->find("forward-to");
        if (to == nullptr) return true;
        if (const auto named = forwarders_.tags.find(*to); named != forwarders_.tags.end()) {
            record_.data.add("forward_to", "$" + named->second);
            record_.asks_forwarder = true;
            return true;
        }
        std::vector<std::string> servers, others;
        for (std::string& server : split(*to, ','))
            (can_be_forwarded_to(server) ? servers : others).push_back(std::move(server));
        if (servers.empty()) {
            ask_main(*to);
            return true;
        }
        if (!others.empty())
            record_.notes.push_back({row_->place, "its forward-to " + in_quotes(*to) +
                                                      " is used without " + join(others, ",")});
        record_.asks_forwarder = true;
        const bool is_plain = servers.size() == 1 && can_be_asked(servers.front()) &&
                              dns_.find("query-server-timeout") == nullptr;
        record_.data.add("forward_to", is_plain ? servers.front() : "$" + forward_of(servers));
        return true;
    }

    // The router itself, or the name of a forwarder that the input does not have, is none.
    static bool can_be_forwarded_to(const std::string& server) {
        if (is_v4(server)) return can_be_asked(server) && !server.starts_with("127.");
        if (is_v6(server)) return can_be_asked(server) && server != "::1";
        return is_host_name(server) && server.find('.') != std::string::npos;
    }

    // The rest of the sequence resolves it. One note for all rows with that target.
    void ask_main(const std::string& target) {
        const auto [at, fresh] = to_main_.try_emplace(target, MainRows{row_->place, 0});
        ++at->second.count;
    }

    void note_main_rows() {
        for (const auto& [target, rows] : to_main_) {
            const bool is_router = target == "localhost" || is_v4(target) || is_v6(target);
            out_.notes.push_back(
                {rows.place,
                 "forward-to=" + in_quotes(target) + " (" + std::to_string(rows.count) +
                     (rows.count == 1 ? " row): " : " rows): ") +
                     (is_router ? "it is the router itself: forward_main is used"
                                : "this forwarder is not imported: forward_main is used; write "
                                  "'forward_to' with its servers if they differ")});
        }
    }

    // The tag of a forward for these servers: one for all rows with the same ones.
    std::string forward_of(const std::vector<std::string>& servers) {
        const auto [at, fresh] = forward_tags_.try_emplace(
            join(servers, ","), "servers_" + std::to_string(out_.forwards.size() + 1));
        if (fresh) {
            out_.forwards.push_back(forward_to_servers(dns_, servers, row_->place));
            out_.forwards.back().tag = at->second;
        }
        return at->second;
    }

    void address_list() {
        const std::string* const list = row_->find("address-list");
        if (list == nullptr) return;
        const auto [at, fresh] = out_.list_tags.try_emplace(*list);
        std::string& tag = at->second;
        if (fresh) {
            tag = "list_" + tag_of(*list);
            const auto taken = [&](const auto& other) {
                return other.first != *list && other.second == tag;
            };
            while (std::ranges::any_of(out_.list_tags, taken))
                tag += '_';
        }
        record_.data.add("address_list", "$" + tag);
    }

    void ttl() {
        const std::string* const text = row_->find("ttl");
        if (text == nullptr) return;
        const auto ms = parse_ros_time(*text);
        if (ms && *ms <= kMaxTtlMs) {
            if (*ms != 86'400'000) record_.data.add("ttl", duration_text(*ms));
        } else {
            record_.notes.push_back({row_->place, "its ttl " + in_quotes(*text) +
                                                      " is not a time: the default is used, 1d"});
        }
    }

    void allow() {
        if (record_.disabled) return;
        const std::string_view kind = record_.owner == Record::Owner::expression   ? "regexp:"
                                      : record_.owner == Record::Owner::subdomains ? "domain:"
                                                                                   : "full:";
        out_.allowed.push_back(std::string(kind) + record_.name);
    }

    const RosDns& dns_;
    const Forwarders& forwarders_;
    const RosRow* row_ = nullptr;
    Record record_;
    bool is_forwarded_ = false;
    struct MainRows {
        std::string place;  // of the first
        std::size_t count;
    };
    std::map<std::string, MainRows> to_main_;  // by forward-to
    std::map<std::string, std::string> forward_tags_;
    Statics out_;
};

}  // namespace

Statics read_statics(const RosDns& dns, const Forwarders& forwarders) {
    return StaticReader(dns, forwarders).read();
}

}  // namespace steer::importing
