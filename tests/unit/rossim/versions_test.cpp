// What the menus have by version: /ip/service, /ipv6/nd, arguments that arrived, went or never were.
#include <boost/test/unit_test.hpp>

#include "api_client.h"
#include "tools/rossim/schema.h"

namespace rossim::test {
namespace {

struct Of : Bench {
    explicit Of(Version version) : Bench(options_of(version)) { s = connect(); }
    static Options options_of(Version version) {
        Options options;
        options.version = version;
        options.available_from = {"0.0.0.0/0", "127.0.0.0/8"};
        return options;
    }
    // "done", or what the trap says.
    std::string say(const Words& words) {
        const auto got = ask(s, words);
        return has(got.at(0).words, "!trap") ? value_of(got[0].words, "message") : "done";
    }
    Words first(const Words& words) { return ask(s, words).at(0).words; }
    SessionId s = 0;
};

BOOST_AUTO_TEST_SUITE(versions)

BOOST_AUTO_TEST_CASE(services_list_connections_from_7_19_on) {
    for (const Version version : {Version{7, 18}, Version{7, 19}}) {
        Of of(version);
        const auto other = of.connect();
        const auto rows = of.ask(of.s, {"/ip/service/print", "?name=api"});
        if (version == Version{7, 18}) {
            BOOST_TEST(rows.size() == 2U);
            continue;
        }
        BOOST_REQUIRE(rows.size() == 4);
        BOOST_TEST(value_of(rows[0].words, "dynamic") == "");
        const std::string id = value_of(rows[1].words, ".id");
        BOOST_TEST(value_of(rows[1].words, "dynamic") == "true");
        BOOST_TEST(value_of(rows[1].words, "connection") == "true");
        BOOST_TEST(of.say({"/ip/service/set", "=.id=" + id, "=disabled=no"}) ==
                   "failure: this is configured elsewhere (/ip/service/set " + id + " = api)");
        BOOST_TEST(of.say({"/ip/service/disable", "=.id=" + id}) ==
                   "failure: this is configured elsewhere (/ip/service/disable " + id + " = api)");
        of.router.close(other, of.now_us);
        BOOST_TEST(of.ask(of.s, {"/ip/service/print", "?name=api"}).size() == 3U);
    }
}

BOOST_AUTO_TEST_CASE(services_can_be_set_and_not_added) {
    Of of({7, 18});
    BOOST_TEST(of.say({"/ip/service/set", "=.id=*1", "=disabled=yes", "=address=192.0.2.7"}) ==
               "done");
    const Words row = of.first({"/ip/service/print", "?name=api"});
    BOOST_TEST(value_of(row, "disabled") == "true");
    BOOST_TEST(value_of(row, "address") == "192.0.2.7");
    BOOST_TEST(of.say({"/ip/service/add", "=name=x"}) == "no such command");
    BOOST_TEST(of.say({"/ip/service/remove", "=.id=*1"}) == "no such command");
    BOOST_TEST(of.say({"/ip/service/set", "=.id=*1", "=available-from=192.0.2.8"}) ==
               "unknown parameter available-from");
    BOOST_TEST(of.say({"/ip/service/set", "=.id=*1", "=max-sessions=7"}) == "done");
    BOOST_TEST(Of({7, 15}).say({"/ip/service/set", "=.id=*1", "=max-sessions=7"}) ==
               "unknown parameter max-sessions");
}

BOOST_AUTO_TEST_CASE(the_addresses_of_a_service_have_another_name_from_7_24_on) {
    Of of({7, 24});
    Words row = of.first({"/ip/service/print", "?name=api"});
    BOOST_TEST(value_of(row, "available-from") == "0.0.0.0/0,127.0.0.0/8");
    BOOST_TEST(value_of(row, "address") == "");
    for (const std::string name : {"address", "available-from"}) {
        BOOST_TEST(of.say({"/ip/service/set", "=.id=*1",
                           "=" + name + "=192.0.2." + (name[1] == 'd' ? "1" : "2")}) == "done");
        row = of.first({"/ip/service/print", "?name=api"});
        BOOST_TEST(value_of(row, "available-from") == (name[1] == 'd' ? "192.0.2.1" : "192.0.2.2"));
        BOOST_TEST(value_of(row, "address") == "");
    }
}

BOOST_AUTO_TEST_CASE(advertise_dns_is_a_flag_and_then_one_of_three) {
    const auto reply_to = [](Of& of, const std::string& value) {
        const std::string how = of.say({"/ipv6/nd/set", "=.id=*1", "=advertise-dns=" + value});
        return how == "done" ? value_of(of.first({"/ipv6/nd/print"}), "advertise-dns") : how;
    };
    Of before({7, 20}), after({7, 21});
    BOOST_TEST(value_of(before.first({"/ipv6/nd/print"}), "advertise-dns") == "true");
    BOOST_TEST(value_of(after.first({"/ipv6/nd/print"}), "advertise-dns") == "yes");
    BOOST_TEST(reply_to(before, "no") == "false");
    BOOST_TEST(reply_to(before, "true") == "true");
    for (const std::string value : {"no", "self", "yes"})
        BOOST_TEST(reply_to(after, value) == value);
    BOOST_TEST(reply_to(after, "true") == "input does not match any value of advertise-dns");
}

BOOST_AUTO_TEST_CASE(an_interface_has_one_row_of_nd) {
    Of of({7, 21});
    constexpr std::string_view kRefused =
        "failure: configuration for this interface already exists";
    BOOST_TEST(of.say({"/ipv6/nd/add"}) == kRefused);  // of `all`, which is there
    BOOST_TEST(of.say({"/ipv6/nd/add", "=interface=lan"}) == "done");
    BOOST_TEST(of.say({"/ipv6/nd/add", "=interface=lan"}) == kRefused);
    BOOST_TEST(of.say({"/ipv6/nd/set", "=.id=*2", "=interface=all"}) == kRefused);
    BOOST_TEST(of.say({"/ipv6/nd/set", "=.id=*2", "=interface=lan"}) == "done");
}

BOOST_AUTO_TEST_CASE(rules_need_a_chain) {
    Of of({7, 21});
    for (const std::string ip : {"/ip", "/ipv6"}) {
        for (const std::string table : {"mangle", "filter"}) {
            const std::string menu = ip + "/firewall/" + table;
            BOOST_TEST(of.say({menu + "/add", "=action=accept"}) ==
                       "missing value(s) of argument(s) chain");
            BOOST_TEST(of.say({menu + "/add", "=chain=forward", "=action=accept"}) == "done");
        }
    }
    BOOST_TEST(of.say({"/ip/firewall/mangle/add", "=chain=prerouting",
                       "=dst-address-type=!local"}) == "done");
    BOOST_TEST(of.say({"/ipv6/firewall/mangle/add", "=chain=prerouting",
                       "=dst-address-type=!local"}) == "done");
}

BOOST_AUTO_TEST_CASE(arguments_missing_in_a_version_are_refused) {
    struct Case {
        std::string command, argument;
        Version last_without, first_with;
    };
    const Case cases[] = {
        {"/ip/firewall/filter/add", "hw-offload", {7, 21}, {7, 20}},
        {"/ipv6/route/add", "pref-src", {7, 19}, {7, 20}},
        {"/ip/dns/set", "address-list-extra-time", {7, 9}, {7, 10}},
        {"/ip/dns/set", "mdns-repeat-ifaces", {7, 15}, {7, 16}},
        {"/ip/dns/set", "vrf", {7, 14}, {7, 15}},
    };
    for (const Case& c : cases) {
        const Words words{c.command, "=" + c.argument + "=x", "=chain=forward"};
        const Words plain{c.command, "=" + c.argument + "=x"};
        const bool is_rule = c.command.find("filter") != c.command.npos;
        BOOST_TEST(Of(c.last_without).say(is_rule ? words : plain) ==
                   "unknown parameter " + c.argument);
        BOOST_TEST(Of(c.first_with).say(is_rule ? words : plain) == "done", c.argument);
    }
    BOOST_TEST(Of({7, 18}).say({"/ipv6/firewall/filter/add", "=chain=forward",
                                "=hw-offload=yes"}) == "unknown parameter hw-offload");
}

// Each version of schema.json, each of its menus: what the version lacks is refused in RouterOS's words.
BOOST_AUTO_TEST_CASE(each_menu_command_and_argument_of_each_version) {
    constexpr Version kListed[] = {{7, 9, 2},  {7, 10, 2}, {7, 11, 3}, {7, 12, 2},
                                   {7, 13, 5}, {7, 14, 3}, {7, 15, 3}, {7, 16, 2},
                                   {7, 17, 1}, {7, 18, 2}, {7, 19, 6}, {7, 20, 8},
                                   {7, 21, 5}, {7, 22, 3}, {7, 23, 3}, {7, 24, 0}};
    for (const Version version : kListed) {
        Of of(version);
        const Schema schema(version);
        std::size_t wrong = 0;
        for (const auto& [path, menu] : Schema::menus()) {
            if (path == "/") continue;
            if (schema.menu(path) == nullptr) {
                wrong += of.say({path + "/print"}) != "no such command prefix";
                continue;
            }
            for (const auto& [name, command] : menu.commands) {
                const bool is_run = path == "/system/script" && name == "run";
                if (schema.command(path, name) == nullptr) {
                    wrong += of.say({path + "/" + name}) != "no such command";
                } else if (!is_run) {
                    wrong += of.say({path + "/" + name, "=no-such-thing=1"}) !=
                             "unknown parameter no-such-thing";
                }
            }
        }
        BOOST_TEST(wrong == 0U, version.minor << ": " << wrong << " menus or commands");
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_simulated_is_declared_to_be_so) {
    Of of({7, 21, 5});
    BOOST_TEST(of.say({"/caps-man/print"}) == "no such command prefix");  // until 7.12
    BOOST_TEST(Of({7, 12, 2}).say({"/caps-man/print"}) == "not simulated: /caps-man");
    BOOST_TEST(of.say({"/tool/ping", "=address=192.0.2.1"}) == "not simulated: /tool/ping");
    BOOST_TEST(of.say({"/system/reboot"}) == "not simulated: /system/reboot");
}

BOOST_AUTO_TEST_CASE(rules_are_put_and_moved_among_others) {
    Of of({7, 21, 5});
    const std::string menu = "/ip/firewall/mangle";
    const auto order = [&of, &menu] {
        std::string text;
        for (const auto& row : of.ask(of.s, {menu + "/print"}))
            text += value_of(row.words, "comment");
        return text;
    };
    for (const std::string name : {"a", "b", "c"})
        BOOST_TEST(of.say({menu + "/add", "=chain=prerouting", "=comment=" + name}) == "done");
    BOOST_TEST(of.say({menu + "/add", "=chain=forward", "=comment=d", "=place-before=*2"}) ==
               "done");
    BOOST_TEST(order() == "adbc");
    BOOST_TEST(of.say({menu + "/move", "=numbers=*3", "=destination=*1"}) == "done");
    BOOST_TEST(order() == "cadb");
    BOOST_TEST(of.say({menu + "/move", "=numbers=*1,*3"}) == "done");
    BOOST_TEST(order() == "dbac");
    BOOST_TEST(of.say({menu + "/unset", "=numbers=*1", "=value-name=comment"}) == "done");
    BOOST_TEST(order() == "dbc");
}

BOOST_AUTO_TEST_CASE(a_user_that_was_added_can_log_in_with_the_rights_of_its_group) {
    Of of({7, 21, 5});
    BOOST_TEST(of.say({"/user/group/add", "=name=lists", "=policy=read,api"}) == "done");
    BOOST_TEST(of.say({"/user/add", "=name=steer", "=group=lists"}) ==
               "missing value(s) of argument(s) password");
    BOOST_TEST(of.say({"/user/add", "=name=steer", "=group=lists", "=password=p"}) == "done");
    const Words row = of.first({"/user/print", "?name=steer"});
    BOOST_TEST(value_of(row, "group") == "lists");
    BOOST_TEST(value_of(row, "password") == "");
    const SessionId other = of.connect_raw();
    const auto tell = [&](const Words& words) { return of.ask(other, words).at(0).words; };
    BOOST_TEST(tell({"/login", "=name=steer", "=password=q"})[0] == "!trap");
    BOOST_TEST(tell({"/login", "=name=steer", "=password=p"})[0] == "!done");
    BOOST_TEST(tell({"/ip/route/print"})[0] != "!trap");
    BOOST_TEST(value_of(tell({"/ip/route/add", "=gateway=192.0.2.1"}), "message") ==
               "not enough permissions (9)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
