#include "control/api/rpc/page_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <chrono>
#include <utility>

#include "control/api/login/password.h"
#include "control/api/page/page_files.h"

namespace steer::ops {
namespace json = boost::json;
namespace {

constexpr std::string_view kHelpOff =
    "the page is off: write `http: on` below `control:` in the configuration, and run `steerctl "
    "reload`";
constexpr std::uint64_t kMs = 1'000;

std::string url_of(const config::RpcServer& settings, const std::string& host) {
    return (settings.has_tls() ? "https://" : "http://") + host + ":" +
           std::to_string(settings.listen.port) + "/";
}

std::string host_of(const IpAddress& address) {
    return address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
}

json::array texts(const std::vector<std::string>& all) {
    json::array out;
    for (const std::string& one : all)
        out.emplace_back(one);
    return out;
}

std::int64_t wall_s() {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

}  // namespace

std::vector<std::string> page_urls(const config::RpcServer& settings,
                                   const std::vector<std::string>& names,
                                   const stream::CertificateNames& machine) {
    std::vector<std::string> urls;
    const auto add = [&](const std::string& host) {
        const std::string url = url_of(settings, host);
        if (std::ranges::find(urls, url) == urls.end()) urls.push_back(url);
    };
    for (const std::string& name : names)
        add(name);
    if (!settings.listen.any() && !settings.listen.any_v4()) {
        add(host_of(settings.listen.address));
        return urls;
    }
    for (const bool wants_v4 : {true, false}) {
        for (const IpAddress& address : machine.addresses) {
            const bool is_served = address.is_v4() || settings.listen.any();
            if (address.is_v4() == wants_v4 && is_served && !address.is_loopback())
                add(host_of(address));
        }
    }
    return urls;
}

PageService::PageService(boost::asio::io_context& io, const JsonRpc& rpc, Clock& clock,
                         Options options)
    : io_(io),
      rpc_(rpc),
      clock_(clock),
      options_(std::move(options)),
      login_(std::make_shared<Login>(io, clock)) {}

// Browsers may open the page under the machine's own names. Names of other sites stay refused.
config::RpcServer PageService::with_own_names(const config::RpcServer& settings) const {
    config::RpcServer own = settings;
    for (const std::string& name : options_.machine().names) {
        if (std::ranges::find(own.hosts, name) == own.hosts.end()) own.hosts.push_back(name);
    }
    return own;
}

// ---- the server

std::unique_ptr<RpcServer> PageService::make(const config::RpcServer& settings) const {
    return std::make_unique<RpcServer>(io_, rpc_, clock_,
                                       RpcServer::Options{.settings = settings,
                                                          .audit = options_.audit,
                                                          .subscriptions = options_.subscriptions,
                                                          .files = page::files(),
                                                          .login = login_,
                                                          .machine = options_.machine,
                                                          .warn = options_.warn});
}

// It listens.
void PageService::take(std::unique_ptr<RpcServer> server) {
    server_ = std::move(server);
    load_password(server_->settings());
    log_place();
}

Result<void> PageService::start(const std::optional<config::RpcServer>& settings) {
    if (!settings) return {};
    names_ = settings->hosts;
    auto server = make(with_own_names(*settings));
    if (auto done = server->listen(); !done) return done;
    take(std::move(server));
    return {};
}

void PageService::load_password(const config::RpcServer& settings) {
    const auto done = login_->load(settings.folder);
    password_error_ = done || !settings.has_password ? "" : done.error().text;
    if (!password_error_.empty()) options_.warn(password_error_);
}

void PageService::log_place() const {
    const auto urls = page_urls(server_->settings(), names_, options_.machine());
    const std::string hash = server_->certificate().sha256;
    spdlog::info("the page is at {}{}{}", urls.empty() ? "no address yet" : urls.front(),
                 hash.empty() ? "" : ", the SHA-256 of its certificate is ", hash);
}

void PageService::move_to(const config::RpcServer& settings, std::vector<Error>& warnings) {
    const std::unique_ptr<RpcServer> old = std::move(server_);
    if (old) old->close();  // both may have the same port
    auto server = make(settings);
    if (const auto done = server->listen(old.get(), warnings); !done) {
        warnings.push_back(done.error());
        if (!old) return;
        warnings.back().text += "; the page stays at " + old->settings().listen.to_string();
        server = make(old->settings());
        if (const auto back = server->listen(old.get(), warnings); !back) {
            warnings.push_back(back.error());
            return;
        }
    }
    take(std::move(server));
}

void PageService::renew(const std::optional<config::RpcServer>* settings,
                        std::vector<Error>& warnings) {
    if (settings == nullptr) {
        if (!server_) return;
        for (Error& error : server_->renew(nullptr))
            warnings.push_back(std::move(error));
        return;
    }
    if (!*settings) {
        if (!server_) return;
        server_->close();
        server_.reset();
        login_->sessions().end_others(0);
        password_error_.clear();
        spdlog::info("the page is off");
        return;
    }
    names_ = (*settings)->hosts;
    const config::RpcServer wanted = with_own_names(**settings);
    if (!server_ || server_->settings().listen != wanted.listen ||
        server_->settings().has_tls() != wanted.has_tls())
        return move_to(wanted, warnings);
    load_password(wanted);
    for (Error& error : server_->renew(&wanted))
        warnings.push_back(std::move(error));
}

void PageService::poll() {
    if (server_) server_->keep_certificate(wall_s());
}

void PageService::close() {
    if (server_) server_->close();
}

// ---- methods

json::object PageService::state() const {
    if (!server_) return {{"on", false}, {"why", kHelpOff}};
    const config::RpcServer& settings = server_->settings();
    const auto certificate = server_->certificate();
    json::array sessions;
    for (const PageSession& one : login_->sessions().list(login_->now_ms())) {
        sessions.push_back(json::object{{"session", one.number},
                                        {"from", one.from.to_string()},
                                        {"by", one.by},
                                        {"began_s_ago", (login_->now_ms() - one.began_ms) / kMs},
                                        {"used_s_ago", (login_->now_ms() - one.used_ms) / kMs}});
    }
    json::object all{{"on", true},
                     {"urls", texts(page_urls(settings, names_, options_.machine()))},
                     {"password", !settings.has_password   ? "off"
                                  : login_->has_password() ? "set"
                                                           : "none"},
                     {"sessions", std::move(sessions)}};
    if (settings.has_tls()) {
        all["fingerprint"] = certificate.sha256;
        all["own_certificate"] = settings.own_certificate;
        all["ends_s"] = certificate.ends_s;
        all["certificate"] = certificate.file;
    }
    return all;
}

RpcResult PageService::link() {
    if (!server_) return bad_params(std::string(kHelpOff));
    if (!server_->settings().has_password)
        return bad_params("signing in is off: `password` of `http` is false");
    const std::string secret = login_->sessions().new_link(login_->now_ms());
    if (secret.empty())
        return RpcError{RpcCode::internal_error, "the system gives no random numbers"};
    json::object all = state();
    all["link"] = "#login/" + secret;
    all["valid_s"] = kLinkMs / kMs;
    return json::value(std::move(all));
}

void PageService::set_password(const Arguments& asked, const RpcDone& done) {
    if (!server_) return done(bad_params(std::string(kHelpOff)));
    std::string password = asked.text("password");
    if (std::string why = why_not_a_password(password); !why.empty())
        return done(bad_params(std::move(why)));
    login_->set_password(std::move(password), asked.caller().session,
                         [this, done](Result<void> set) {
                             if (!set)
                                 return done(RpcError{RpcCode::internal_error, set.error().text});
                             password_error_.clear();
                             if (server_) server_->end_streams();
                             done(json::value{{"set", true}});
                         });
}

RpcResult PageService::end_sessions(const Arguments& asked) {
    const std::uint64_t number = asked.number("session", 0);
    const std::size_t ended =
        number == 0 ? login_->sessions().end_others(0) : (login_->sessions().end(number) ? 1U : 0U);
    if (number != 0 && ended == 0)
        return bad_params("there is no session " + std::to_string(number) +
                          ": `steerctl page sessions` lists them");
    if (server_) server_->end_streams();
    return json::value{{"ended", ended}};
}

void PageService::add_methods(Methods& methods) {
    methods.add({.name = "page",
                 .help = "Shows where the page is, its certificate and who is signed in.",
                 .changes = Changes::nothing(),
                 .piece = Piece::report(),
                 .role = AccessRole::admin,
                 .run = [this](const Arguments&) -> RpcResult { return json::value(state()); },
                 .members = "on why? urls? password? sessions? fingerprint? own_certificate? "
                            "ends_s? certificate?",
                 .result = "the page's addresses, certificate and sessions"});
    methods.add({.name = "page.link",
                 .help = "Makes a link that signs in to the page once, within 10 minutes.",
                 .changes = Changes::always(),
                 .piece = Piece::report(),
                 .role = AccessRole::admin,
                 .run = [this](const Arguments&) -> RpcResult { return link(); },
                 .members = "on why? urls? password? sessions? fingerprint? own_certificate? "
                            "ends_s? certificate? link valid_s",
                 .result = "the same as `page`, and the part of the link after an address"});
    methods.add(
        {.name = "page.password",
         .help = "Sets the page's password and ends the other sessions.",
         .changes = Changes::always(),
         .piece = Piece::small(),
         .role = AccessRole::admin,
         .parameters = {{.name = "password",
                         .type = ParamType::text,
                         .meaning = "the new password, of 8 to 128 bytes",
                         .is_required = true}},
         .run = [this](const Arguments& asked, const RpcDone& done) { set_password(asked, done); },
         .members = "set",
         .result = "whether the password was set"});
    methods.add({.name = "page.logout",
                 .help = "Ends one session of the page, or all.",
                 .changes = Changes::always(),
                 .piece = Piece::small(),
                 .role = AccessRole::admin,
                 .parameters = {{.name = "session",
                                 .type = ParamType::number,
                                 .meaning = "the session's number; without it, all",
                                 .least = 1}},
                 .run = [this](const Arguments& asked) -> RpcResult { return end_sessions(asked); },
                 .members = "ended",
                 .result = "how many sessions were ended"});
}

}  // namespace steer::ops
