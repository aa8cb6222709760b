// As much of OpenPGP's framing (RFC 9580, section 4.2) as tells whether a message is all there.
#pragma once

#include <cstdint>

#include "stream/stream.h"

namespace barman::codec {

// Follows the packets of a message as its bytes pass.
class PacketTracker {
 public:
  void add(stream::Bytes bytes);

  // Whether what has passed ends where a packet does, and one of them held encrypted data. (A packet of
  // indeterminate length ends anywhere.)
  [[nodiscard]] bool is_complete() const { return encrypted_ && (state_ == State::kTag || endless_); }

 private:
  enum class State { kTag, kOldLength, kNewLength, kLongLength, kBody };

  void take(unsigned byte);
  void take_tag(unsigned byte);
  void take_new_length(unsigned byte);
  void begin_body(std::uint64_t size);

  State state_ = State::kTag;
  bool encrypted_ = false;     // a packet of encrypted data has begun
  bool endless_ = false;       // the body goes on to the end of the message
  bool partial_ = false;       // another length follows the body
  unsigned length_bytes_ = 0;  // still to come
  std::uint64_t length_ = 0;
  std::uint64_t shift_ = 0;  // what lengths of two bytes stand for beyond what they say
  std::uint64_t body_left_ = 0;
};

}  // namespace barman::codec
