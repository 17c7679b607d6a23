#include "control/config/plugins/router_rows.h"

#include <algorithm>
#include <ostream>

#include "control/config/lists/rules.h"
#include "control/config/reference.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct PersistentArgs {
    std::vector<Text> ips, files;
};
template <auto Member>
void read_list(Reading& in, const Node& node, const Place& place, PersistentArgs& out) {
    out.*Member = read_texts(in, node, place);
}
constexpr std::array<Row<PersistentArgs>, 2> kPersistentRows{{
    {"ips", Own<PersistentArgs>{"list of addresses and prefixes", read_list<&PersistentArgs::ips>},
     "none", "", "addresses of the rows"},
    {"files", Files<PersistentArgs>{"list of paths", read_list<&PersistentArgs::files>}, "none", "",
     "files with one address or prefix per line; `#` starts a comment\nInvalid lines are skipped "
     "with a warning."},
}};

class RowsCheck {
  public:
    RowsCheck(Reading& in, const Node& map, const Plugin& plugin, const RouterRowsText& text)
        : in_(in), map_(map), plugin_(plugin), text_(text), owner_(owner_of(plugin)) {}

    void all(RouterRowsArgs& args) {
        router(args);
        comment(args);
        families(args);
        times(args);
    }

  private:
    [[nodiscard]] int line_of(std::string_view key) const {
        const Node* value = map_.find(key);
        return value == nullptr ? plugin_.line : value->line;
    }
    void error(std::string_view key, const std::string& text) {
        in_.report().error(line_of(key), text);
    }

    void router(RouterRowsArgs& args) {
        const bool own = map_.find("address") != nullptr || map_.find("username") != nullptr ||
                         map_.find("password") != nullptr || map_.find("tls") != nullptr;
        if (args.router_name.empty() && map_.find("routers") == nullptr) {
            for (const std::string_view key : {"address", "username"}) {
                if (map_.find(key) == nullptr) {
                    in_.report().error(plugin_.line,
                                       "'" + std::string(key) + "' is missing in " + owner_ +
                                           ": write it, or 'router: NAME' of one in 'routers'");
                }
            }
            if (const auto done = finish_router(in_, args, owner_, line_of("address")))
                args.routers = {in_.add_router(*done)};
            return;
        }
        const std::string_view key = args.router_name.empty() ? "routers" : "router";
        if (own) {
            error(key, owner_ + " has '" + std::string(key) +
                           "' and an address or credentials of its own: keep one of them");
        }
        for (const std::string own_key : {"cpu_share", "scripts", "repair_connections"}) {
            if (map_.find(own_key) == nullptr) continue;
            error(own_key, "'" + own_key + "' of " + owner_ +
                               " belongs to the router: move it to 'routers'");
        }
        if (!args.router_name.empty() && !args.router_names.empty())
            error("routers", owner_ + " has 'router' and 'routers': keep one of them");
        if (!args.router_name.empty()) named_router(args, {args.router_name, line_of(key)}, key);
        for (const Text& name : args.router_names)
            named_router(args, name, key);
    }

    void named_router(RouterRowsArgs& args, const Text& name, std::string_view key) {
        const auto index = find_router(in_, name.value, {key, owner_, name.line});
        if (!index) return;
        if (std::ranges::find(args.routers, *index) == args.routers.end()) {
            args.routers.push_back(*index);
        } else {
            in_.report().error(name.line, "router " + matchers::quoted(name.value) +
                                              " appears twice in 'routers' of " + owner_ +
                                              ": remove one");
        }
    }

    void comment(const RouterRowsArgs& args) {
        const auto bad = [](std::string_view text) {
            return std::any_of(text.begin(), text.end(), [](char c) {
                const auto byte = static_cast<unsigned char>(c);
                return c == ';' || c == '=' || byte < 0x20 || byte == 0x7f;
            });
        };
        if (bad(plugin_.tag)) {
            in_.report().error(plugin_.line, "the tag " + matchers::quoted(plugin_.tag) +
                                                 " becomes part of comments: remove ';' and '='");
        }
        if (bad(args.comment_prefix)) {
            error("comment_prefix", "'comment_prefix' of " + owner_ + " is " +
                                        matchers::quoted(args.comment_prefix) +
                                        ": remove ';' and '='");
        }
    }

    void families(RouterRowsArgs& args) {
        if (map_.find(key_of(false)) == nullptr && map_.find(key_of(true)) == nullptr) {
            in_.report().error(plugin_.line, owner_ + " has no " + what() + ": write '" +
                                                 key_of(false) + "', '" + key_of(true) +
                                                 "' or both");
            return;
        }
        const bool v4 = !args.group(false).empty(), v6 = !args.group(true).empty();
        for (const std::string_view key : text_.texts) {
            const Node* const value = map_.find(key);
            if (value == nullptr || !value->is_text()) continue;
            const bool bad = std::any_of(value->text.begin(), value->text.end(), [](char c) {
                return static_cast<unsigned char>(c) < 0x20;
            });
            if (bad)
                error(key, "'" + std::string(key) + "' of " + owner_ +
                               " has a control character in it: remove it");
        }
        if (text_.check != nullptr) text_.check(in_, map_, plugin_, args);
        if (v4 == v6) return persistent(args, true, true);
        if (args.missing_family == MissingFamilyMode::answer) {
            in_.report().warn(plugin_.line, owner_ + " has no '" + key_of(v4) +
                                                "': " + (v4 ? "IPv6" : "IPv4") +
                                                " connections to its names do not follow the "
                                                "policy; add the " +
                                                what() + ", or write 'missing_family: nodata'");
        }
        persistent(args, v4, !v4);
    }

    [[nodiscard]] std::string key_of(bool v6) const {
        return std::string(v6 ? text_.key6 : text_.key4);
    }
    [[nodiscard]] std::string what() const { return std::string(text_.what); }

    // Addresses of a family without a list: an error in the configuration, a skipped line in a file.
    void persistent(RouterRowsArgs& args, bool v4, bool v6) {
        std::erase_if(args.persistent, [&](const PersistentRow& row) {
            const bool is_v4 = row.prefix.address.is_v4() && row.prefix.length >= 96;
            if (is_v4 ? v4 : v6) return false;
            const std::string text = "the persistent address " + row.prefix.to_string() +
                                     " has no " + what() + ": add '" + key_of(!is_v4) + "' to " +
                                     owner_;
            if (row.file == 0) {
                in_.report().error(row.line, text);
            } else {
                in_.report().warn_in(in_.settings().files[row.file], row.line,
                                     text + "; the line is skipped");
            }
            return true;
        });
    }

    void times(const RouterRowsArgs& args) {
        if (args.min_ttl > args.max_ttl) {
            error("min_ttl", "'min_ttl' of " + owner_ + " (" + duration_text(args.min_ttl) +
                                 ") is longer than 'max_ttl' (" + duration_text(args.max_ttl) +
                                 "): lower it");
        }
        const std::string extra = "'extra_time' (" + duration_text(args.extra_time) + ")";
        if (args.fixed_ttl) {
            const Milliseconds fixed = *args.fixed_ttl;
            if (fixed > Milliseconds(0) && fixed <= args.extra_time) {
                error("fixed_ttl",
                      "'fixed_ttl' of " + owner_ + " (" + duration_text(fixed) +
                          ") is not longer than " + extra +
                          ": raise it, lower 'extra_time', or write 0 for rows without a timeout");
            }
        } else if (args.max_ttl <= args.extra_time) {
            error("max_ttl", "'max_ttl' of " + owner_ + " (" + duration_text(args.max_ttl) +
                                 ") is not longer than " + extra +
                                 ": raise it, or lower 'extra_time'");
        }
    }

    Reading& in_;
    const Node& map_;
    const Plugin& plugin_;
    const RouterRowsText& text_;
    std::string owner_;
};

}  // namespace

void read_row_router_names(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out) {
    out.router_names = read_texts(in, node, place);
    if (out.router_names.empty()) {
        in.report().error(place.line,
                          place.name() + " is empty: write the names of one or more of 'routers'");
    }
}

void read_row_persistent(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out) {
    const std::string owner = place.name();
    PersistentArgs args;
    read_rows(in, node, kPersistentRows, owner, args);
    for (const Text& ip : args.ips) {
        if (const auto prefix = matchers::Prefix::parse(ip.value)) {
            out.persistent.push_back({*prefix, 0, ip.line});
        } else {
            in.report().error(ip.line, matchers::quoted(ip.value) + " in 'ips' of " + owner +
                                           " is not an address or prefix: expected one such as "
                                           "192.0.2.1 or 2001:db8::/32");
        }
    }
    for (const Text& file : args.files)
        read_prefix_file(in, file, {"files", owner, file.line}, out.persistent);
}

void read_row_never_claim(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out) {
    out.never_claim = read_never_claim(in, node, place);
}

void read_row_allow_claim(Reading& in, const Node& node, const Place& place, RouterRowsArgs& out) {
    out.allow_claim = read_prefixes(in, node, place);
}

void check_router_rows(Reading& in, const Node& args, const Plugin& plugin,
                       const RouterRowsText& text, RouterRowsArgs& out) {
    RowsCheck(in, args, plugin, text).all(out);
}

void write_persistent(std::ostream& out) {
    write_part(out, "persistent", row_texts(kPersistentRows));
}

}  // namespace steer::config
