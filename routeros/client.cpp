#include "routeros/client.h"

#include <chrono>
#include <optional>

#include "routeros/blocking_link.h"

namespace steer::routeros {
namespace {

constexpr std::uint32_t kClientPatienceMs = 10'000;

}  // namespace

class Client::Impl final : SessionHandler {
  public:
    std::string open(const TransportConfig& to, const std::string& user,
                     const std::string& password) {
        TransportConfig patient = to;
        patient.connect_timeout_ms = kClientPatienceMs;
        link_.emplace(std::move(patient));
        if (!link_->connect()) return link_->failure().text();
        session_.login(user, password);
        std::string why = run([this] { return logged_in_; });
        if (why.empty() && !login_.ok) why = "login failed: " + login_.message;
        return why;
    }

    [[nodiscard]] std::string local_address() const {
        return link_ ? link_->local_address() : std::string();
    }

    std::string ask(const Command& command, Reply& reply) {
        reply = {};
        reply_ = &reply;
        tag_ = session_.send(command);
        std::string why = run([this] { return tag_ == 0; });
        reply_ = nullptr;
        return why;
    }

  private:
    template <class IsDone>
    std::string run(IsDone is_done) {
        while (!is_done() && broken_.empty()) {
            if (const std::string output = session_.take_output(); !output.empty())
                link_->send(output);
            std::string bytes;
            if (!link_->receive(bytes, std::chrono::milliseconds(kClientPatienceMs)))
                return link_->failure().text();
            session_.feed(bytes);
        }
        return broken_;
    }

    void on_login(const Ending& ending) override {
        logged_in_ = true;
        login_ = ending;
    }
    void on_row(Tag tag, const ReplyRow& row) override {
        if (tag == tag_ && reply_ != nullptr) reply_->rows.push_back(row.all());
    }
    void on_end(Tag tag, const Ending& ending) override {
        if (tag != tag_ || reply_ == nullptr) return;
        reply_->ending = ending;
        tag_ = 0;
    }
    void on_broken(std::string_view reason) override { broken_ = reason; }

    std::optional<BlockingLink> link_;
    Session session_{*this};
    Ending login_;
    bool logged_in_ = false;
    std::string broken_;
    Tag tag_ = 0;  // of the command in progress; 0: it has ended
    Reply* reply_ = nullptr;
};

Client::Client() : impl_(std::make_unique<Impl>()) {}

Client::~Client() = default;

std::string Client::open(const TransportConfig& to, const std::string& user,
                         const std::string& password) {
    return impl_->open(to, user, password);
}

std::string Client::local_address() const {
    return impl_->local_address();
}

std::string Client::ask(const Command& command, Reply& reply) {
    return impl_->ask(command, reply);
}

}  // namespace steer::routeros
