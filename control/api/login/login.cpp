#include "control/api/login/login.h"

#include <openssl/crypto.h>

#include <utility>

#include "control/api/login/password.h"

namespace steer::ops {

Login::Login(boost::asio::io_context& io, Clock& clock) : clock_(clock), aside_(io, "password") {}

Result<void> Login::load(const std::string& folder) {
    folder_ = folder;
    auto hash = load_password(folder);
    if (!hash) {
        hash_.clear();
        return hash.error();
    }
    hash_ = std::move(*hash);
    return {};
}

void Login::try_password(const IpAddress& client, std::string password,
                         std::function<void(const Outcome&)> done) {
    const auto end_with = [&](End end) { done({.end = end}); };
    if (hash_.empty()) return end_with(End::no_password);
    unsigned& waiting = client.is_loopback() ? waiting_of_loopback_ : waiting_;
    if (waiting >= kMostWaiting) return end_with(End::busy);
    if (!limits_.take(client, now_ms())) return end_with(End::too_many);
    ++waiting;
    aside_.run(
        [given = std::move(password), hash = hash_]() mutable {
            const bool is_right = is_password(given, hash);
            OPENSSL_cleanse(given.data(), given.size());
            return is_right;
        },
        [this, client, &waiting, hash = hash_, done = std::move(done)](bool is_right) {
            --waiting;
            if (!is_right || hash != hash_) return done({.end = End::wrong});
            limits_.give_back(client, now_ms());
            std::string secret = sessions_.begin(client, "password", now_ms());
            const auto* const session = sessions_.use(secret, now_ms());
            if (session == nullptr) return done({.end = End::busy});
            done({End::good, std::move(secret), session->number});
        });
}

Login::Outcome Login::try_link(const IpAddress& client, std::string_view secret) {
    if (!sessions_.take_link(secret, now_ms())) return {.end = End::wrong};
    limits_.give_back(client, now_ms());
    std::string made = sessions_.begin(client, "link", now_ms());
    const auto* const session = sessions_.use(made, now_ms());
    if (session == nullptr) return {.end = End::busy};
    return {End::good, std::move(made), session->number};
}

void Login::set_password(std::string password, std::uint64_t session,
                         std::function<void(Result<void>)> done) {
    struct Made {
        std::string hash{}, problem{};
    };
    aside_.run(
        [given = std::move(password), folder = folder_]() mutable -> Made {
            auto hash = hash_of_password(given);
            OPENSSL_cleanse(given.data(), given.size());
            if (!hash) return {.problem = hash.error().text};
            if (auto saved = save_password(folder, *hash); !saved)
                return {.problem = saved.error().text};
            return {.hash = std::move(*hash)};
        },
        [this, session, done = std::move(done)](Made made) {
            if (!made.problem.empty()) return done(Error{made.problem});
            hash_ = std::move(made.hash);
            sessions_.end_others(session);
            done({});
        });
}

}  // namespace steer::ops
