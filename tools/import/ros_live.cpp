#include "tools/import/ros_live.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <span>
#include <string_view>

#include "routeros/server_trust.h"
#include "routeros/session.h"
#include "routeros/tls.h"

namespace steer::importing {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kReadBytes = std::size_t{64} << 10;

constexpr std::array<std::string_view, 20> kSettings{"servers",
                                                     "dynamic-servers",
                                                     "allow-remote-requests",
                                                     "cache-size",
                                                     "cache-max-ttl",
                                                     "address-list-extra-time",
                                                     "vrf",
                                                     "max-concurrent-queries",
                                                     "max-concurrent-tcp-sessions",
                                                     "mdns-repeat-ifaces",
                                                     "max-udp-packet-size",
                                                     "query-server-timeout",
                                                     "doh-timeout",
                                                     "query-total-timeout",
                                                     "doh-max-concurrent-queries",
                                                     "use-doh-server",
                                                     "doh-max-server-connections",
                                                     "verify-doh-cert",
                                                     "cache-used",
                                                     "comment"};
constexpr std::array<std::string_view, 21> kStatic{
    "name",         "regexp",          "type",        "address",       "address-list", "cname",
    "forward-to",   "match-subdomain", "mx-exchange", "mx-preference", "ns",           "srv-port",
    "srv-priority", "srv-target",      "srv-weight",  "text",          "ttl",          "disabled",
    "dynamic",      "comment",         "invalid"};
constexpr std::array<std::string_view, 5> kAdlist{"url", "file", "ssl-verify", "disabled",
                                                  "comment"};
constexpr std::array<std::string_view, 6> kForwarders{
    "name", "dns-servers", "doh-servers", "verify-doh-cert", "disabled", "comment"};

struct Menu {
    const routeros::CommandForm* print;
    std::span<const std::string_view> properties;
};
constexpr std::array<Menu, 4> kMenus{{{&routeros::forms::print_dns, kSettings},
                                      {&routeros::forms::print_static, kStatic},
                                      {&routeros::forms::print_adlists, kAdlist},
                                      {&routeros::forms::print_forwarders, kForwarders}}};

// The socket with or without TLS. Each step returns why it failed; empty: it did not.
class Line {
  public:
    std::string open(const routeros::TransportConfig& to) {
        tcp::resolver resolver(io_);
        tcp::resolver::results_type found;
        auto why = wait([&](auto done) {
            resolver.async_resolve(to.host, std::to_string(to.port),
                                   [&found, done](error_code error, auto results) {
                                       found = results;
                                       done(error);
                                   });
        });
        if (!why.empty()) return why;
        why = wait([&](auto done) {
            asio::async_connect(socket_, found,
                                [done](error_code error, const tcp::endpoint&) { done(error); });
        });
        return !why.empty() || !to.tls.enabled ? why : secure(to);
    }

    std::string send(const std::string& bytes) {
        return on_stream([&](auto& stream) {
            return wait([&](auto done) {
                asio::async_write(stream, asio::buffer(bytes),
                                  [done](error_code error, std::size_t) { done(error); });
            });
        });
    }

    std::string receive(std::string_view& bytes) {
        return on_stream([&](auto& stream) {
            return wait([&](auto done) {
                stream.async_read_some(asio::buffer(in_),
                                       [this, &bytes, done](error_code error, std::size_t count) {
                                           bytes = {in_.data(), count};
                                           done(error);
                                       });
            });
        });
    }

  private:
    std::string secure(const routeros::TransportConfig& to) {
        try {
            context_.emplace(routeros::make_tls_context(to.tls, to.host));
        } catch (const std::exception& error) {
            return std::string("TLS: ") + error.what();
        }
        stream_.emplace(socket_, *context_);
        tls::send_name(stream_->native_handle(), to.host);
        std::string why = wait(
            [&](auto done) { stream_->async_handshake(asio::ssl::stream_base::client, done); });
        const std::string refused =
            why.empty() ? why : tls::certificate_trouble(stream_->native_handle(), to.host);
        if (!refused.empty()) why = refused;
        if (why.empty()) why = routeros::pin_trouble(stream_->native_handle(), to.tls);
        return why.empty() ? why : "TLS: " + why;
    }

    template <class Use>
    std::string on_stream(Use use) {
        return stream_ ? use(*stream_) : use(socket_);
    }

    // Begins something and waits until it has ended; closes the socket if that takes too long.
    template <class Begin>
    std::string wait(Begin begin) {
        std::optional<error_code> ended;
        begin([&ended](error_code error) { ended = error; });
        io_.restart();
        io_.run_for(kPatience);
        if (!ended) {
            error_code ignored;
            socket_.close(ignored);
            io_.restart();
            io_.run();
            return "no answer within 10 s";
        }
        if (*ended == asio::error::eof) return "the router closed the connection";
        return *ended ? ended->message() : std::string();
    }

    asio::io_context io_{1};
    tcp::socket socket_{io_};
    std::optional<asio::ssl::context> context_;
    std::optional<asio::ssl::stream<tcp::socket&>> stream_;
    std::array<char, kReadBytes> in_{};
};

// What comes back, in the order of kMenus.
class Prints final : public routeros::SessionHandler {
  public:
    explicit Prints(RosDns& dns) : dns_(dns) {}

    void ask(routeros::Session& session) {
        resource_ = session.send(routeros::print_resource());
        for (std::size_t i = 0; i < kMenus.size(); ++i)
            tags_.at(i) = session.send(routeros::Command(*kMenus.at(i).print));
    }

    void on_login(const routeros::Ending& ending) override {
        logged_in = true;
        if (!ending.ok) trouble = "login failed: " + ending.message;
    }

    void on_row(routeros::Tag tag, const routeros::ReplyRow& row) override {
        if (tag == resource_) {
            const std::string_view version = row.get("version").value_or("");
            dns_.version = version.substr(0, version.find(' '));
            return;
        }
        const auto at = std::ranges::find(tags_, tag);
        if (at == tags_.end()) return;
        const Menu& menu = kMenus.at(static_cast<std::size_t>(at - tags_.begin()));
        const std::string_view path = menu.print->menu;
        if (path == "/ip/dns") return take_settings(row);
        auto& table = path == "/ip/dns/static"   ? dns_.statics
                      : path == "/ip/dns/adlist" ? dns_.adlists
                                                 : dns_.forwarders;
        RosRow out{"row " + std::to_string(table.size()) + " of " + std::string(path), {}};
        for (const std::string_view name : menu.properties) {
            if (const auto value = row.get(name)) out.values.emplace_back(name, *value);
        }
        table.push_back(std::move(out));
    }

    void on_end(routeros::Tag tag, const routeros::Ending& ending) override {
        const bool is_optional = tag == tags_[2] || tag == tags_[3];
        const bool is_missing = ending.says("no such command");
        if (!ending.ok && !(is_optional && is_missing) && tag != resource_ && trouble.empty())
            trouble = "the router rejected a print command: " + ending.message;
    }

    void on_broken(std::string_view reason) override { trouble = reason; }

    bool logged_in = false;
    std::string trouble;

  private:
    void take_settings(const routeros::ReplyRow& row) {
        dns_.was_set = true;
        for (const std::string_view name : kSettings) {
            if (const auto value = row.get(name)) dns_.set(name, {"/ip/dns", std::string(*value)});
        }
    }

    RosDns& dns_;
    routeros::Tag resource_ = 0;
    std::array<routeros::Tag, kMenus.size()> tags_{};
};

std::string read_all(Line& line, routeros::Session& session, Prints& prints) {
    for (bool asked = false; prints.trouble.empty();) {
        if (prints.logged_in && !asked) {
            prints.ask(session);
            asked = true;
        }
        if (asked && session.outstanding() == 0) return {};
        if (const std::string output = session.take_output(); !output.empty()) {
            if (auto why = line.send(output); !why.empty()) return why;
        }
        std::string_view bytes;
        if (auto why = line.receive(bytes); !why.empty()) return why;
        session.feed(bytes);
    }
    return prints.trouble;
}

}  // namespace

RosDns read_router(const RouterLogin& login, std::optional<Failure>& failure) {
    RosDns dns;
    dns.source = "the router " + login.router;
    dns.router_address = login.to.host.find(':') == std::string::npos
                             ? login.to.host + ":" + std::to_string(login.to.port)
                             : "[" + login.to.host + "]:" + std::to_string(login.to.port);
    dns.router_user = login.user;
    Line line;
    Prints prints(dns);
    routeros::Session session(prints);
    std::string why = line.open(login.to);
    if (why.empty()) {
        session.login(login.user, login.password);
        why = read_all(line, session, prints);
    }
    if (!why.empty()) failure = Failure{0, "cannot be read: " + why};
    return dns;
}

}  // namespace steer::importing
