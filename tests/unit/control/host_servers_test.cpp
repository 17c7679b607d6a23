// The upstreams of a `forward` without `upstreams`: those in the host's files, in their order, and never itself.
#include <net/if.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "control/host/resolver/server_text.h"
#include "control/program/reload/host_servers.h"
#include "support/temp_folder.h"

using namespace steer;
using resolver::read_servers;

namespace {

std::string joined(const std::vector<resolver::NamedServer>& all) {
    std::string text;
    for (const auto& [address, interface] : all)
        text += (text.empty() ? "" : " ") + address.to_string() +
                (interface.empty() ? "" : "%" + interface);
    return text;
}

config::Settings with_forward(const std::string& file) {
    config::Settings settings;
    config::Plugin plugin;
    plugin.tag = "up";
    plugin.line = 3;
    config::Forward forward;
    forward.of_host = true;
    forward.resolv_file = file;
    plugin.args = forward;
    settings.plugins.push_back(plugin);
    return settings;
}

std::string asked(const config::Settings& settings) {
    std::vector<resolver::NamedServer> all;
    for (const auto& upstream : std::get<config::Forward>(settings.plugins[0].args).upstreams)
        all.push_back({upstream.address.value(), upstream.reach.device});
    return joined(all);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(host_servers)

BOOST_AUTO_TEST_CASE(each_format_of_a_hosts_file_is_read) {
    BOOST_TEST(joined(read_servers("# by hand\r\nsearch example\nnameserver 192.0.2.1 \n"
                                   "nameserver\t2001:db8::1\r\n;nameserver 192.0.2.9\n"
                                   "nameserver fe80::1%eth0\nnameserver fe80::2%\n"
                                   "nameserver 192.0.2.3%eth0\noptions edns0")) ==
               "192.0.2.1 2001:db8::1 fe80::1%eth0");
    BOOST_TEST(joined(read_servers("lease {\n  option domain-name-servers 192.0.2.1;\n}\nlease {\n"
                                   "  option domain-name-servers 192.0.2.2, 192.0.2.3;\n}\n")) ==
               "192.0.2.2 192.0.2.3");
    BOOST_TEST(joined(read_servers("ADDRESS=10.0.0.2\nDNS=192.0.2.1 192.0.2.2\n")) ==
               "192.0.2.1 192.0.2.2");
    BOOST_TEST(joined(read_servers("\xef\xbb\xbfnameserver 192.0.2.1\r\n")) == "192.0.2.1");
    BOOST_TEST(read_servers("").empty());
    BOOST_TEST(read_servers("nameserver\nnameserver x\noption domain-name-servers").empty());
}

BOOST_AUTO_TEST_CASE(the_usual_files_are_read_in_order) {
    const test::TempFolder root;
    root.write("var/lib/dhcp/dhclient.eth0.leases", "");
    root.write("var/lib/dhcp/other", "");
    const auto all = where_host_servers_stand(root / "");
    BOOST_TEST(all.front() == root / "etc/resolv.conf");
    BOOST_TEST(all.back() == root / "var/lib/dhcp/dhclient.eth0.leases");
}

BOOST_AUTO_TEST_CASE(our_own_addresses_are_left_out_and_changes_noticed) {
    const test::TempFolder folder;
    const std::string file = folder / "resolv.conf";
    const std::vector<IpAddress> own{*IpAddress::parse("10.0.0.2")};
    auto settings = with_forward(file);

    BOOST_REQUIRE(fill_host_servers(settings, own).size() == 1);  // not there
    BOOST_TEST(fill_host_servers(settings, own)[0].line == 3);
    BOOST_TEST(asked(settings).empty());
    BOOST_TEST(host_servers_are_as(settings, own));

    folder.write("resolv.conf",
                 "nameserver 127.0.0.53\nnameserver ::1\nnameserver 10.0.0.2\n"
                 "nameserver fe80::1\nnameserver 192.0.2.1\n");
    BOOST_TEST(!host_servers_are_as(settings, own));
    BOOST_TEST(fill_host_servers(settings, own).empty());
    BOOST_TEST(asked(settings) == "192.0.2.1");
    BOOST_TEST(host_servers_are_as(settings, own));
    // Through the forward's proxy, like upstreams that are written.
    auto& forward = std::get<config::Forward>(settings.plugins[0].args);
    forward.reach.socks5 = config::Socks5Settings{.host = "192.0.2.9"};
    BOOST_TEST(fill_host_servers(settings, own).empty());
    BOOST_TEST(forward.upstreams[0].reach.socks5.has_value());
    BOOST_TEST(!forward.upstreams[0].is_plain());
    forward.reach.socks5.reset();
    BOOST_TEST(fill_host_servers(settings, own).empty());

    // Of a router advertisement: by the interface's name or number. None has the number 2^31 - 1.
    const auto number = std::to_string(::if_nametoindex("lo"));
    folder.write("resolv.conf", "nameserver fe80::1%eth7\nnameserver fe80::2%" + number +
                                    "\nnameserver fe80::3%2147483647\n");
    BOOST_TEST(!host_servers_are_as(settings, own));
    BOOST_TEST(fill_host_servers(settings, own).empty());
    BOOST_TEST(asked(settings) == "fe80::1%eth7 fe80::2%lo");
    const auto& upstreams = std::get<config::Forward>(settings.plugins[0].args).upstreams;
    BOOST_TEST(!upstreams[0].is_plain());
    BOOST_TEST(upstreams[0].addr == "fe80::1%eth7");
    BOOST_TEST(host_servers_are_as(settings, own));
    folder.write("resolv.conf", "nameserver fe80::1%eth8\nnameserver fe80::2%lo\n");
    BOOST_TEST(!host_servers_are_as(settings, own));

    folder.write("resolv.conf", "nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
    BOOST_TEST(!host_servers_are_as(settings, own));
    BOOST_TEST(host_server_files(settings).size() == 1U);

    // Who wrote upstreams keeps them.
    std::get<config::Forward>(settings.plugins[0].args).of_host = false;
    fill_host_servers(settings, own);
    BOOST_TEST(asked(settings) == "fe80::1%eth7 fe80::2%lo");
    BOOST_TEST(host_server_files(settings).empty());
}

BOOST_AUTO_TEST_SUITE_END()
